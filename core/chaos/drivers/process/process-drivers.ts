import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { whenMissing } from '../../../errors';
import { isAlive, type ProcessRef, processRef, signalProcess } from '../../lease';
import { defineDriver } from '../define-driver';
import type { AnyDriver, TargetOf } from '../driver';
import { findUnit, startUnit } from './unit';

const savedProcess = z.strictObject({ process: processRef });
type SavedProcess = z.output<typeof savedProcess>;

async function running(target: TargetOf<'process'>): Promise<SavedProcess> {
  const found = await findUnit(target);
  if (found === undefined) throw new Error(`${target.pidFile} names no running ${target.command}.`);
  return { process: found };
}

/** `T`: stopped by a signal. Source: proc(5), field 3 of /proc/PID/stat. */
async function isStopped(ref: ProcessRef): Promise<boolean> {
  const stat = await readFile(`/proc/${ref.pid}/stat`, 'utf8').catch(whenMissing(''));
  return (await isAlive(ref)) && stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}

/** Faults of processes that the configuration names; a process is known by PID, start time and boot. */
export const processDrivers: readonly AnyDriver[] = [
  defineDriver<'process', Record<never, never>, SavedProcess>({
    name: 'process.kill',
    targetKind: 'process',
    summary: 'SIGKILL; whoever supervises it brings it back, or the target’s `start` does',
    parameters: z.strictObject({}),
    saved: savedProcess,
    afterPowerLoss: 'gone',
    boundedBy: 'the reaper',
    prepare: ({ target }) => running(target),
    inject: async ({ saved }) => {
      await signalProcess(saved.process, 'SIGKILL');
    },
    remove: async ({ target }) => {
      if (target.start !== undefined && (await findUnit(target)) === undefined) await startUnit(target);
    },
    // Without `start` its supervisor brings it back, or nobody: it is not ours to wait for.
    isThere: async ({ target }) => target.start !== undefined && (await findUnit(target)) === undefined,
  }),
  defineDriver<'process', Record<never, never>, SavedProcess>({
    name: 'process.stop',
    targetKind: 'process',
    summary: 'SIGSTOP: it holds its connections and does nothing; SIGCONT ends it',
    parameters: z.strictObject({}),
    saved: savedProcess,
    afterPowerLoss: 'gone',
    boundedBy: 'the reaper',
    prepare: ({ target }) => running(target),
    inject: async ({ saved }) => {
      if (!(await signalProcess(saved.process, 'SIGSTOP'))) throw new Error('the process has ended');
    },
    remove: async ({ target, saved }) => {
      const stopped = saved?.process ?? (await findUnit(target));
      if (stopped !== undefined) await signalProcess(stopped, 'SIGCONT');
    },
    isThere: async ({ target, saved }) => {
      const stopped = saved?.process ?? (await findUnit(target));
      return stopped !== undefined && (await isStopped(stopped));
    },
  }),
];
