import { readdir, readFile } from 'node:fs/promises';
import { killProcess, type ProcessRef, refOf } from '../../lease';

/** Every process that works for a fault has its lease in its environment, and its children inherit it. */
export const LEASE_VARIABLE = 'CHRONAWFLOW_CHAOS_LEASE';

/** The living processes of a fault, wherever they hang in the tree; this process is never among them. */
export async function markedProcesses(leaseId: string): Promise<ProcessRef[]> {
  const mark = `${LEASE_VARIABLE}=${leaseId}`;
  const found: ProcessRef[] = [];
  for (const entry of await readdir('/proc').catch(() => [])) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    // Other users' processes are closed to us, and none of ours.
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (!environment.split('\0').includes(mark)) continue;
    const ref = await refOf(pid);
    if (ref !== undefined) found.push(ref);
  }
  return found;
}

/** @returns whether all of them are gone. */
export async function killMarked(leaseId: string): Promise<boolean> {
  const ended = await Promise.all((await markedProcesses(leaseId)).map((ref) => killProcess(ref)));
  return ended.every(Boolean);
}
