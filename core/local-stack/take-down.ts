import { readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopGuards } from '../chaos';
import { stopDetached, stopServer } from '../cluster';
import { removeEveryScratch } from '../recovery';
import { ownNetwork, releaseScratch, removeNetwork } from './chaos';
import { currentHolder, takeStack } from './holder';
import { type StackLayout, stackLayout, stateFileOf } from './layout.pure';
import { StackBusyError } from './stack-busy-error';
import type { OnStackEvent } from './stack-event';
import { StackMissingError } from './stack-missing-error';
import { readState } from './state';

/** An `up` that is told to end needs this long at most: the worker's grace time and two checkpoints. */
const HOLDER_LIMIT_MS = 90_000;

export interface TakeDownOptions {
  readonly directory: string;
  /** Also removes everything: data, backups, secrets. */
  readonly removeData?: boolean;
  readonly onEvent: OnStackEvent;
}

/**
 * Stops a stack from outside, whether an `up` watches it, was killed, or left it running on purpose. Works from the
 * remembered places alone, so it needs neither Temporal's nor pgBackRest's program.
 *
 * @throws StackMissingError
 */
export async function takeDownStack(options: TakeDownOptions): Promise<void> {
  const home = resolve(options.directory);
  const state = await readState(stateFileOf(home));
  if (state === undefined) throw new StackMissingError(home);
  const layout = stackLayout(home, state.servers, state.sockets);
  await endHolder(layout.holderFile);
  const letGo = await takeStack(layout.holderFile);
  try {
    await stopEverything(layout, options.onEvent);
    if (state.chaos !== undefined) await removeNetwork(ownNetwork(state.chaos.tax));
    if (options.removeData) {
      // Of a restore whose worker would have gone on with it.
      await removeEveryScratch(layout.scratch);
      await releaseScratch(layout.scratch);
      await removeEverything(layout);
    }
  } finally {
    await letGo();
  }
  if (options.removeData) await removeIfEmpty(home);
}

async function removeIfEmpty(directory: string): Promise<void> {
  if ((await readdir(directory)).length === 0) await rmdir(directory);
}

async function endHolder(holderFile: string): Promise<void> {
  const pid = await currentHolder(holderFile);
  if (pid === undefined) return;
  // A program that watches the stack itself has to stop watching first.
  if (pid === process.pid) throw new StackBusyError(dirname(holderFile), pid);
  process.kill(pid, 'SIGTERM');
  const limit = Date.now() + HOLDER_LIMIT_MS;
  while ((await currentHolder(holderFile)) !== undefined) {
    if (Date.now() > limit) throw new StackBusyError(dirname(holderFile), pid);
    await sleep(50);
  }
}

async function stopEverything(layout: StackLayout, onEvent: OnStackEvent): Promise<void> {
  const { chaos } = layout;
  // The guards first: each ends its faults, and what a fault has stopped can be ended as well.
  await stopGuards(chaos.journal);
  await Promise.all(
    [chaos.office, chaos.secondWorker, chaos.sealer, chaos.tax].map(({ recordFile }) =>
      stopDetached(recordFile),
    ),
  );
  await Promise.all([
    stopDetached(layout.worker.recordFile).then(() => onEvent({ kind: 'stopped', part: 'worker' })),
    stopDetached(layout.control.recordFile).then(() => onEvent({ kind: 'stopped', part: 'control' })),
  ]);
  // Those that the controllers have started for an experiment which began meanwhile.
  await stopGuards(chaos.journal);
  await Promise.all([
    stopDetached(layout.temporal.recordFile).then(() => onEvent({ kind: 'stopped', part: 'temporal' })),
    stopServer(layout.application).then(() => onEvent({ kind: 'stopped', part: 'application-cluster' })),
    stopDetached(chaos.toxiproxy.recordFile),
    stopServer(chaos.standby),
    stopServer(layout.platform).then(() => onEvent({ kind: 'stopped', part: 'platform-cluster' })),
  ]);
}

/** Only what the stack made: somebody may have named a directory that holds other things as well. */
async function removeEverything(layout: StackLayout): Promise<void> {
  const own = [
    layout.servers,
    layout.temporal.directory,
    layout.worker.directory,
    layout.control.directory,
    layout.chaos.directory,
    layout.secrets,
    layout.configFile,
    layout.stateFile,
    ...(layout.sockets === undefined ? [] : [layout.sockets]),
  ];
  for (const path of own) await rm(path, { recursive: true, force: true });
}
