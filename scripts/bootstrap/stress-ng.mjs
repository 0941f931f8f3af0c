import { exclusivelyApt } from './apt.mjs';
import { messageOf } from './bootstrap-failure.mjs';
import { run } from './command.mjs';
import { findOnPath } from './programs.mjs';

/**
 * stress-ng, with which chaos experiments put a host under pressure. Nothing depends on it: where it cannot be installed
 * without asking, those tests say that they are left out.
 */
export async function prepareStressNg(control) {
  const found = findOnPath('stress-ng', control.env);
  if (found !== undefined) return { value: {}, summary: `stress-ng in ${found}` };
  const apt = findOnPath('apt-get', control.env);
  if (apt === undefined || process.getuid?.() !== 0)
    return { value: {}, summary: 'no stress-ng: tests of pressure on the host are left out' };
  try {
    await exclusivelyApt(control, () => install(apt, control));
    return { value: {}, summary: 'stress-ng, by apt' };
  } catch (error) {
    control.signal?.throwIfAborted();
    return {
      value: {},
      summary: `no stress-ng (${messageOf(error).split('\n', 1)[0]}): tests of pressure are left out`,
    };
  }
}

async function install(apt, { env, note, signal }) {
  const options = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' }, signal };
  const attempt = () => {
    note('apt-get install stress-ng');
    const lock = ['-o', 'DPkg::Lock::Timeout=120'];
    return run(apt, ['install', '-y', '--no-install-recommends', ...lock, 'stress-ng'], options);
  };
  try {
    await attempt();
  } catch {
    signal?.throwIfAborted();
    note('apt-get update');
    await run(apt, ['update'], options);
    await attempt();
  }
}
