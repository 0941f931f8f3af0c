import { setTimeout as sleep } from 'node:timers/promises';
import { readGuard } from '../../core/chaos';
import { hostTime } from '../../core/chaos/lease';
import { findFault } from './chaos-checker';
import { awayMs, outageBegins } from './chaos-outages';
import { type ChaosStage, type Controller, type ControllerRequest, newLeaseId } from './chaos-stage';
import { isToxiproxyGone, superviseToxiproxy } from './chaos-toxiproxy-supervisor';
import { noteDeath, traceEnd } from './chaos-trace';
import { kill } from './kill';
import type { RealPostgres } from './real-postgres';

/** What may be killed while a fault is there; `all` is everything of ours at the same moment. */
export const VICTIMS = [
  'controller',
  'guard a',
  'guard b',
  'both guards',
  'driver',
  'controller and driver',
  'controller and both guards',
  'toxiproxy',
  'database',
  'control plane',
  'nobody',
] as const;

export type Victim = (typeof VICTIMS)[number];

type Crashable = Pick<RealPostgres, 'halt' | 'start'>;

export interface StormFault {
  readonly driver: string;
  readonly target: string;
  readonly parameters?: object;
  /** The one that it disturbs, and that dies as `database`; by default the stage's. */
  readonly database?: Crashable;
}

export interface StormRound extends StormFault {
  readonly victim: Victim;
  /** 0 to 1: when in the fault's time the victim is killed. */
  readonly moment: number;
}

export interface StormResult extends Omit<StormRound, 'victim'> {
  readonly victim: string;
  readonly injected: boolean;
  /**
   * Milliseconds from the lease's end to the look since which the fault was not found; 0 when it was gone before. The time in which the
   * disturbed server was dead does not count: then there is no fault of it to be seen. A Toxiproxy that was killed after the
   * fault's end hides nothing of the fault: then to that end.
   */
  readonly overstayMs: number;
  /** The same until the lease was closed as well, which is when the end has been proved. */
  readonly closedMs: number;
  /** What was found at the limit; undefined when nothing was. */
  readonly residual: string | undefined;
  /** Of an overstay that is long: where the time went. */
  readonly late?: string;
}

export interface StormTimes {
  readonly durationMs: number;
  readonly termMs: number;
  /** How long after the lease's end a fault is looked for before it counts as residual. */
  readonly limitMs: number;
}

/** An overstay of which one wants to know why. */
const LATE_MS = 1_000;

/** By the time since boot, as in the journal. */
const now = () => hostTime().uptimeMs;

/** What the checker misses after these deaths is the death, not the fault. */
const MISSING_AFTER: readonly Victim[] = ['toxiproxy', 'database', 'control plane'];

/** One experiment during which the victim dies, and what the checker then finds. @param signal ends it before its time */
export async function stormRound(
  stage: ChaosStage,
  round: StormRound,
  times: StormTimes,
  signal?: AbortSignal,
): Promise<StormResult> {
  const { driver, target, parameters } = round;
  const { durationMs, termMs } = times;
  const request = { driver, target, parameters, durationMs, termMs };
  const { controller, leaseId, opened } = await begin(stage, request, signal);
  const fault = { id: leaseId, driver, target };
  const moment = opened + round.moment * times.durationMs;
  let injected = false;
  do {
    signal?.throwIfAborted();
    injected ||= (await findFault(stage, fault)) !== undefined;
    await sleep(Math.min(100, Math.max(0, moment - now())));
  } while (now() < moment);
  if (round.victim !== 'nobody') noteDeath(round.victim);
  await strike(stage, round, controller.pid, leaseId);
  const leaseEnd = opened + times.durationMs;
  const limit = Math.max(leaseEnd, now()) + times.limitMs;
  const { journal } = stage.host;
  let found: string | undefined;
  let clearMs: number | undefined;
  let revived = false;
  for (;;) {
    signal?.throwIfAborted();
    found = await findFault(stage, fault);
    clearMs = found === undefined ? (clearMs ?? now()) : undefined;
    injected ||= found !== undefined && !MISSING_AFTER.includes(round.victim);
    const isOpen = (await journal.find(leaseId)) !== undefined;
    // Gone for the checker, and no entry that could bring it back.
    if (found === undefined && !isOpen) break;
    if (!isOpen && isToxiproxyGone(found)) revived = (await superviseToxiproxy(stage)) || revived;
    if (now() > limit) break;
    await sleep(50);
  }
  const closedMs = now();
  kill(controller.pid);
  await controller.ended;
  const residual = found ?? ((await journal.find(leaseId)) === undefined ? undefined : 'its lease is open');
  const ended = revived ? (await journal.ended(leaseId))?.endedMs : undefined;
  const since = (ms: number) =>
    Math.max(0, ms - leaseEnd - awayMs(disturbedServer(stage, round), leaseEnd, ms));
  const overstayMs = since(ended ?? clearMs ?? closedMs);
  const late = overstayMs > LATE_MS ? await traceEnd(stage, leaseId, leaseEnd) : undefined;
  return { ...round, injected, overstayMs, closedMs: since(ended ?? closedMs), residual, late };
}

/** The one without which a fault can be neither seen nor ended. */
function disturbedServer(stage: ChaosStage, { driver, database }: StormFault): object | undefined {
  const [family = ''] = driver.split('.');
  const servers: Readonly<Record<string, object | undefined>> = {
    postgres: database ?? stage.database,
    calls: stage.controlPlane,
    temporal: stage.temporal,
  };
  return servers[family];
}

interface Begun {
  readonly controller: Controller;
  readonly leaseId: string;
  readonly opened: number;
}

const BEGIN_LIMIT_MS = 60_000;

/** Another lane may just have killed what this one needs to begin: then it begins again. */
async function begin(
  stage: ChaosStage,
  request: Omit<ControllerRequest, 'leaseId'>,
  signal: AbortSignal | undefined,
): Promise<Begun> {
  const limit = now() + BEGIN_LIMIT_MS;
  for (;;) {
    signal?.throwIfAborted();
    const leaseId = newLeaseId();
    const controller = stage.controller({ leaseId, ...request });
    const opened = await leaseOpened(stage, leaseId, controller.ended);
    if (typeof opened === 'number') return { controller, leaseId, opened };
    if (now() > limit) throw new Error(`the controller cannot open its lease: ${opened}`);
    if (!request.driver.startsWith('toxiproxy.')) continue;
    if (isToxiproxyGone(await findFault(stage, { id: '', ...request }))) await superviseToxiproxy(stage);
  }
}

/** When it was there, or what the controller said that ended without it. */
async function leaseOpened(
  stage: ChaosStage,
  leaseId: string,
  ended: Promise<string>,
): Promise<number | string> {
  let output: string | undefined;
  ended.then((text) => {
    output = text;
  });
  for (;;) {
    if ((await stage.host.journal.find(leaseId)) !== undefined) return now();
    if ((await stage.host.journal.ended(leaseId)) !== undefined) return now();
    if (output !== undefined) return output;
    await sleep(10);
  }
}

async function strike(
  stage: ChaosStage,
  { victim, database }: StormRound,
  controllerPid: number,
  leaseId: string,
): Promise<void> {
  const { journal } = stage.host;
  const guard = async (name: 'a' | 'b') => kill((await readGuard(journal.directory, name))?.pid);
  const driver = async () => kill((await journal.driver(leaseId))?.pid);
  switch (victim) {
    case 'controller':
      return kill(controllerPid);
    case 'guard a':
      return guard('a');
    case 'guard b':
      return guard('b');
    case 'both guards':
      await Promise.all([guard('a'), guard('b')]);
      return;
    case 'driver':
      return driver();
    case 'controller and driver':
      kill(controllerPid);
      return driver();
    case 'controller and both guards':
      kill(controllerPid);
      await Promise.all([guard('a'), guard('b')]);
      return;
    case 'toxiproxy':
      return stage.toxiproxy.kill();
    case 'database':
      return crash(database ?? stage.database);
    case 'control plane':
      return crash(stage.controlPlane);
    case 'nobody':
      return;
  }
}

const crashing = new WeakMap<Crashable, Promise<void>>();

/** Two lanes that want the same server dead have it die twice, one after the other. */
function crash(server: Crashable): Promise<void> {
  const crashed = (crashing.get(server) ?? Promise.resolve()).then(async () => {
    const isBack = outageBegins(server);
    await server.halt('immediate');
    await server.start();
    isBack();
  });
  crashing.set(
    server,
    crashed.catch(() => undefined),
  );
  return crashed;
}
