import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors';
import { endFault } from './end-fault';
import { ChaosRefusedError, FaultNotInjectedError } from './errors';
import { type ChaosPrograms, closeEnded, GUARDS, guardsFor, keepGuard, startApart } from './guard';
import { type ChaosHost, resolveFault } from './host';
import { type AuthorizeFault, type FaultLease, hostTime, isAlive } from './lease';
import { resourceOf } from './targets';

export interface FaultRequest {
  /** Derived from run and fault, so that a repeated request finds what the first one began. */
  readonly leaseId: string;
  readonly experiment: string;
  readonly driver: string;
  readonly target: string;
  readonly parameters: unknown;
  readonly durationMs: number;
  readonly termMs: number;
  /** Whether it may be, decided in the transaction that writes the lease down in the control plane. */
  readonly authorize?: AuthorizeFault;
}

const PREPARE_LIMIT_MS = 8_000;
const INJECT_LIMIT_MS = 30_000;

/**
 * Injects a fault whose end is sure before it begins: inverse and lease are on the disk and in the control plane, two guards
 * have acknowledged them, and only then a process of its own injects. The same request again waits for the same fault.
 *
 * @returns the lease, with the fault in effect
 * @throws TargetNotAllowedError, InvalidInputError, ChaosRefusedError (overlap), GuardsNotReadyError, FaultNotInjectedError
 */
export async function injectFault(
  host: ChaosHost,
  programs: ChaosPrograms,
  request: FaultRequest,
): Promise<FaultLease> {
  const { journal } = host;
  const ended = await journal.ended(request.leaseId);
  if (ended !== undefined)
    throw new FaultNotInjectedError(
      request.leaseId,
      request.driver,
      `it has ended already (${ended.reason})`,
    );
  const lease = (await journal.find(request.leaseId)) ?? (await openLease(host, request));
  try {
    await journal.renew(lease.id);
    const resource = resourceOf(resolveFault(host, lease).target, host.host);
    await openInControlPlane(host, lease, resource, request);
    await guardsFor(journal, programs, lease.id);
    await inject(host, programs, lease);
    return lease;
  } catch (error) {
    await endFault(host, lease, { by: 'controller', reason: 'not-injected' }).catch((remains: unknown) =>
      host.log.error({ lease: lease.id, err: remains }, 'left to the guards'),
    );
    throw error;
  }
}

async function openLease(host: ChaosHost, request: FaultRequest): Promise<FaultLease> {
  const { driver, target, parameters } = resolveFault(host, request);
  const signal = AbortSignal.timeout(PREPARE_LIMIT_MS);
  // First these, then the look at the target: what one of them has brought back by then is seen there.
  const others = await openElsewhere(host);
  const saved = await driver
    .prepare({ leaseId: request.leaseId, target, parameters, others, signal })
    .catch((cause: unknown) => {
      throw new FaultNotInjectedError(request.leaseId, request.driver, messageOf(cause), cause);
    });
  const { bootId, uptimeMs } = hostTime();
  const lease: FaultLease = {
    version: 1,
    id: request.leaseId,
    experiment: request.experiment,
    driver: request.driver,
    target: request.target,
    parameters: { ...parameters },
    saved: { ...saved },
    host: host.host,
    bootId,
    createdMs: uptimeMs,
    deadlineMs: uptimeMs + request.durationMs,
    termMs: request.termMs,
    until: new Date(Date.now() + request.durationMs).toISOString(),
  };
  await host.journal.open(lease);
  return lease;
}

/** Targets of this host under a fault, and what that fault has saved of them. */
async function openElsewhere({ journal, targets }: ChaosHost) {
  return (await journal.all()).leases.flatMap(({ target: name, saved }) => {
    const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
    return target === undefined || saved === undefined ? [] : [{ target, saved }];
  });
}

/** @throws ChaosRefusedError when another fault has the resource, and not only the entry of one that has ended here */
async function openInControlPlane(
  host: ChaosHost,
  lease: FaultLease,
  resource: string,
  { durationMs, authorize }: FaultRequest,
): Promise<void> {
  const { store } = host;
  if (store === undefined) {
    if (authorize === undefined) return;
    throw new ChaosRefusedError(
      'control-plane',
      `Without a control plane nobody can tell who may inject ${lease.driver}.`,
      'Name platform.database in the configuration of this host.',
    );
  }
  try {
    await store.open(lease, resource, durationMs, authorize);
  } catch (error) {
    if (!(error instanceof ChaosRefusedError)) throw error;
    await closeEnded(host, store);
    await store.open(lease, resource, durationMs, authorize);
  }
}

async function inject(host: ChaosHost, programs: ChaosPrograms, lease: FaultLease): Promise<void> {
  const { journal } = host;
  const limit = performance.now() + INJECT_LIMIT_MS;
  let renewed = performance.now();
  const before = await journal.driver(lease.id);
  if (before === undefined || !(await isAlive(before))) {
    const logFile = join(journal.directory, 'drivers.log');
    await startApart(programs.driver, [lease.id], logFile, programs.env);
  }
  while (!(await journal.isMarked(lease.id, 'injected'))) {
    if ((await journal.find(lease.id)) === undefined) {
      const ended = await journal.ended(lease.id);
      throw new FaultNotInjectedError(
        lease.id,
        lease.driver,
        (await journal.whyEnded(lease.id)) ?? ended?.reason ?? 'it has ended',
      );
    }
    if (performance.now() > limit)
      throw new FaultNotInjectedError(
        lease.id,
        lease.driver,
        `its process was not ready within ${INJECT_LIMIT_MS} ms`,
      );
    if (performance.now() - renewed > lease.termMs / 4) {
      await journal.renew(lease.id);
      renewed = performance.now();
      // From the injection on the fault's own process sees to it.
      for (const name of GUARDS) await keepGuard(journal.directory, programs, name);
    }
    await sleep(20);
  }
}
