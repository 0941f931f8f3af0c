import { readFile, rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServerStartFailedError, serverStatus, startServer, stopServer } from '../../cluster';
import { whenMissing } from '../../errors';
import type { RecoveryContext, StepControl } from '../engine';
import { BackupCommandFailedError } from '../errors/backup-command-failed-error';
import { TargetNotReachedError } from '../errors/target-not-reached-error';
import { pause } from '../target/pause';
import { configureServer, type ServerRequest } from './configure-server';
import { findDamagedWal } from './find-damaged-wal';
import { lookAtRecovery } from './inspect-server';
import { readMarker, writeMarker } from './marker';
import { raiseRecoveryProblem } from './raise-recovery-problem';
import { type RecoveryLog, readRecoveryLog } from './recovery-log.pure';
import { segmentCount } from './restore-files';
import { SCRATCH_PORT } from './scratch-paths.pure';

/** Replay has no natural limit; the workflow's own time-outs and `signal` end it earlier. */
const RECOVERY_LIMIT_MS = 24 * 3_600_000;
/** What is replayed within milliseconds is noticed as soon; what takes hours is looked at less and less often. */
const FIRST_POLL_MS = 8;
const LAST_POLL_MS = 100;
const REPORT_MS = 2000;

/**
 * Starts the server, or takes over one that runs, and waits until it is paused at the target.
 *
 * @throws TargetNotReachedError, BackupDamagedError, ScratchDiskFullError, ScratchSettingsInsufficientError by what the
 *   server's log says.
 */
export async function recover(
  ctx: RecoveryContext,
  request: ServerRequest,
  control: StepControl,
): Promise<RecoveryLog> {
  try {
    return await recoverToTarget(ctx, request, control).catch(async (error: unknown) => {
      // Processes that fetch ahead can get in each other's way (pgBackRest 2.45 under load: one moved a file that the
      // other had just cleared from the spool). Nothing is lost but speed when the rest comes segment by segment.
      if (!(error instanceof BackupCommandFailedError) || request.oneByOne) throw error;
      ctx.log.warn({ error: error.message }, 'WAL could not be fetched; trying again segment by segment');
      // Its log says why it gives up before it has ended; the next one's begins anew.
      await stopServer({ dataDirectory: request.paths.dataDirectory, mode: 'immediate' });
      return recoverToTarget(ctx, { ...request, oneByOne: true }, control);
    });
  } catch (error) {
    if (!(error instanceof TargetNotReachedError)) throw error;
    const { fetched } = await readLog(request.paths.serverLog);
    throw (await findDamagedWal(ctx, request.target, fetched, control)) ?? error;
  }
}

async function recoverToTarget(
  ctx: RecoveryContext,
  request: ServerRequest,
  control: StepControl,
): Promise<RecoveryLog> {
  const { paths } = request;
  const before = await serverStatus(paths.dataDirectory);
  // Of a server that runs already the log is needed from its start; an old one would speak of an old recovery.
  if (before.kind === 'stopped') await setAside(paths.serverLog);
  const { segmentBytes } = await configureServer(ctx, request);
  const total = segmentCount(request.target, segmentBytes);
  const report = async (): Promise<RecoveryLog> => {
    const log = await readLog(paths.serverLog);
    control.progress?.({ step: 'recovering', done: Math.min(log.fetched.length, total), total });
    return log;
  };
  await reporting(start(request, control), report).catch(async (error) => {
    if (!(error instanceof ServerStartFailedError)) throw error;
    await raiseRecoveryProblem(request, await readLog(paths.serverLog));
    throw error;
  });
  const { log, superuser } = await untilPaused(request, report, control);
  const marker = await readMarker(paths);
  if (marker !== undefined && marker.superuser !== superuser)
    await writeMarker(paths, { ...marker, superuser });
  return log;
}

async function start({ paths, bin }: ServerRequest, control: StepControl): Promise<void> {
  await startServer({
    bin,
    dataDirectory: paths.dataDirectory,
    logFile: paths.serverLog,
    socketDirectory: paths.socketDirectory,
    port: SCRATCH_PORT,
    timeoutMs: RECOVERY_LIMIT_MS,
    signal: control.signal,
  });
}

/** Ready means only that connections are accepted: replay goes on from the backup's end to the target. */
async function untilPaused(
  request: ServerRequest,
  report: () => Promise<RecoveryLog>,
  control: StepControl,
): Promise<{ readonly log: RecoveryLog; readonly superuser: string }> {
  for (let wait = FIRST_POLL_MS; ; wait = Math.min(wait * 1.2, LAST_POLL_MS)) {
    control.signal?.throwIfAborted();
    const status = await serverStatus(request.paths.dataDirectory);
    const log = await report();
    await raiseRecoveryProblem(request, log);
    if (status.kind === 'stopped')
      throw new TargetNotReachedError(request.target.value, ['the server ended']);
    const found = log.stoppedBecause === undefined ? undefined : await lookAtRecovery(request);
    if (found?.paused) return { log, superuser: found.superuser };
    await pause(wait, control.signal);
  }
}

/** Calls `report` every few seconds while `work` is under way; a failing report ends in the same error as the work. */
async function reporting<T>(work: Promise<T>, report: () => Promise<unknown>): Promise<T> {
  const ended = new AbortController();
  const settled = work.finally(() => ended.abort());
  const reports = (async () => {
    while (!ended.signal.aborted) {
      await report();
      await sleep(REPORT_MS, undefined, { signal: ended.signal }).catch((error: unknown) => {
        if (!ended.signal.aborted) throw error;
      });
    }
  })();
  const [result] = await Promise.all([settled, reports]);
  return result;
}

async function readLog(file: string): Promise<RecoveryLog> {
  return readRecoveryLog(await readFile(file, 'utf8').catch(whenMissing('')));
}

async function setAside(file: string): Promise<void> {
  await rename(file, `${file}.before`).catch(whenMissing(''));
}
