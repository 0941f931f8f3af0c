import { readdirSync, readFileSync } from 'node:fs';
import { kill } from './kill';
import { until } from './until';

/**
 * PIDs of the guards and of the faults' processes that work with this configuration, by /proc: also of those that have just been
 * started, and have written nothing down yet.
 */
export function chaosProcesses(configFile: string): number[] {
  return readdirSync('/proc').flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) return [];
    const program = /workers\/(reaper|chaos-driver)\.js\0/.test(read(`/proc/${pid}/cmdline`));
    return program && read(`/proc/${pid}/environ`).includes(`CHRONAWFLOW_CONFIG=${configFile}\0`)
      ? [pid]
      : [];
  });
}

/** They start each other, so it is done again until a look finds none: then there is none that could start one. */
export function killChaosProcesses(configFile: string): Promise<void> {
  return until(
    () => {
      const pids = chaosProcesses(configFile);
      for (const pid of pids) kill(pid);
      return pids.length === 0;
    },
    { what: 'guards and faults’ processes to be dead' },
  );
}

/** Empty for one that has ended meanwhile, and for the entry of one that nobody has waited for. */
function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
