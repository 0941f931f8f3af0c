import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../../core/cluster';
import { messageOf } from '../../core/errors';
import { findFault } from '../../test/support/chaos-checker';
import type { ChaosDeployment } from '../../test/support/chaos-temporal';
import { until } from '../../test/support/until';
import type { Bench, Measured } from '../support/run-benchmark';
import { table } from '../support/table';

/** Pinned, so that the comparison is with something that can be named. */
const TOOLKIT = 'chaostoolkit==1.19.0';
const PAUSE_S = 3;

/**
 * The same fault by Chaos Toolkit, killed in the middle like ours: its rollback is in the process that dies. Looked at when the
 * experiment's time is long over. Without Python or the package there is no figure, and the text says why.
 */
export async function measureToolkit(
  { quick, progress, signal }: Bench,
  chaos: ChaosDeployment,
): Promise<Measured> {
  const { stage } = chaos;
  const directory = join(stage.directory, 'toolkit');
  try {
    await runProgram('python3', ['-m', 'venv', directory], { signal, timeoutMs: 120_000 });
    progress.line('installing Chaos Toolkit');
    await runProgram(join(directory, 'bin', 'pip'), ['install', '--quiet', TOOLKIT], {
      signal,
      timeoutMs: 240_000,
    });
  } catch (error) {
    signal.throwIfAborted();
    return { text: `Chaos Toolkit could not be installed: ${messageOf(error).split('\n')[0]}`, figures: {} };
  }
  const file = join(directory, 'experiment.json');
  await writeFile(file, JSON.stringify(experiment(stage.toxiproxy.url)));
  const rounds = quick ? 1 : 3;
  const fault = { id: '', driver: 'toxiproxy.latency', target: 'proxy-1' };
  let left = 0;
  for (let round = 0; round < rounds; round += 1) {
    const child = spawn(
      join(directory, 'bin', 'chaos'),
      ['--no-version-check', 'run', '--rollback-strategy', 'always', file],
      {
        stdio: 'ignore',
        cwd: directory,
        signal,
        killSignal: 'SIGKILL',
      },
    );
    // That the benchmark is being stopped is said elsewhere.
    child.on('error', () => undefined);
    const ended = once(child, 'exit');
    await until(async () => (await findFault(stage, fault)) !== undefined, {
      what: 'its fault',
      limitMs: 60_000,
    });
    child.kill('SIGKILL');
    await ended;
    await new Promise((resolve) => setTimeout(resolve, (PAUSE_S + 2) * 1_000));
    if ((await findFault(stage, fault)) !== undefined) left += 1;
    await stage.toxiproxy.reset();
    progress.line(`Chaos Toolkit, killed: ${left} left`);
  }
  return {
    text: table(
      'The same experiment, killed in the middle: faults left 2 s after its end',
      ['', 'runs', 'left'],
      [[`Chaos Toolkit (${TOOLKIT.split('==')[1]})`, rounds, left]],
    ),
    figures: { toolkit_runs: rounds, toolkit_left: left },
  };
}

function experiment(url: string): object {
  const provider = (method: string, path: string, body?: object) => ({
    type: 'http',
    url: `${url}${path}`,
    method,
    headers: { 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { arguments: body }),
  });
  const toxics = '/proxies/proxy-1/toxics';
  const toxic = { name: 'slow', type: 'latency', attributes: { latency: 300 } };
  return {
    title: 'The database is slow',
    description: 'Latency through Toxiproxy, and its removal as a rollback.',
    method: [
      {
        type: 'action',
        name: 'make it slow',
        provider: provider('POST', toxics, toxic),
        pauses: { after: PAUSE_S },
      },
    ],
    rollbacks: [{ type: 'action', name: 'make it fast', provider: provider('DELETE', `${toxics}/slow`) }],
  };
}
