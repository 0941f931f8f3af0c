import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosRun } from '../../client';
import { hostTime } from '../../core/chaos/lease';
import { findFault } from '../../test/support/chaos-checker';
import { outageBegins } from '../../test/support/chaos-outages';
import type { StormResult } from '../../test/support/chaos-storm';
import type { ChaosDeployment } from '../../test/support/chaos-temporal';
import { isToxiproxyGone, superviseToxiproxy } from '../../test/support/chaos-toxiproxy-supervisor';
import { type SupervisedWorker, superviseControlWorker } from '../../test/support/chaos-worker';
import { kill } from '../../test/support/kill';
import { until } from '../../test/support/until';

export interface WorkflowRound {
  readonly driver: string;
  readonly target: string;
  readonly victim: 'controllers’ process' | 'Temporal';
}

/** One experiment as a workflow; what leads it dies while its fault is there. */
export async function workflowRound(
  chaos: ChaosDeployment,
  round: WorkflowRound,
  signal: AbortSignal,
): Promise<StormResult> {
  const worker: SupervisedWorker = superviseControlWorker(chaos.stage.configFile);
  try {
    const { driver, target } = round;
    const find = (id: string) => findFault(chaos.stage, { id, driver, target });
    const { journal } = chaos.stage.host;
    // Its own fault: another lane's death of Toxiproxy looks the same from outside.
    const leaseOf = async () => {
      const own = (await journal.all()).leases.find((one) => one.target === target);
      return own !== undefined && (await journal.isMarked(own.id, 'injected')) ? own : undefined;
    };
    const run = await begun(chaos, round, async () => {
      signal.throwIfAborted();
      return (await leaseOf()) !== undefined;
    });
    const lease = await leaseOf();
    const revive = round.victim === 'Temporal' ? await killTemporal(chaos) : undefined;
    if (revive === undefined) kill(worker.pid);
    const isOpen = async () => lease !== undefined && (await journal.find(lease.id)) !== undefined;
    const end = lease?.deadlineMs ?? hostTime().uptimeMs;
    let found = await find('');
    let open = await isOpen();
    let revived = false;
    while ((found !== undefined || open) && hostTime().uptimeMs < end + 30_000) {
      signal.throwIfAborted();
      await sleep(50);
      found = await find('');
      open = await isOpen();
      if (!open && isToxiproxyGone(found)) revived = (await superviseToxiproxy(chaos.stage)) || revived;
    }
    const ended = lease === undefined ? undefined : await journal.ended(lease.id);
    const goneMs = (revived ? ended?.endedMs : undefined) ?? hostTime().uptimeMs;
    const overstayMs = Math.max(0, goneMs - end);
    const times = { overstayMs, closedMs: overstayMs };
    await revive?.();
    await run.result();
    const residual = found ?? (open ? 'its lease is open' : undefined);
    return { driver, target, victim: round.victim, moment: 0, injected: true, ...times, residual };
  } finally {
    await worker.stop();
  }
}

/** @returns how it is brought back */
async function killTemporal({ stage, temporal }: ChaosDeployment): Promise<() => Promise<void>> {
  const isBack = stage.temporal === undefined ? undefined : outageBegins(stage.temporal);
  await temporal.kill();
  return async () => {
    await temporal.start();
    isBack?.();
  };
}

/**
 * A run whose fault is there. It is refused while another lane's fault has not ended in time, and then asked for again: that one
 * lane waits for another is no result of either.
 */
async function begun(
  chaos: ChaosDeployment,
  { driver, target }: WorkflowRound,
  isThere: () => Promise<boolean>,
): Promise<ChaosRun> {
  const limit = performance.now() + 120_000;
  for (;;) {
    const run = await chaos.cf.chaos.run({
      experiment: {
        title: `${driver} and a death`,
        description: '',
        method: [],
        extensions: [{ name: 'chronawflow', faults: [{ driver, target }], duration: '3s' }],
      },
      requestedBy: 'bench',
    });
    let ended = false;
    const end = () => {
      ended = true;
    };
    run.result().then(end, end);
    await until(async () => ended || (await isThere()), { what: 'the fault', limitMs: 120_000 });
    if (!ended) return run;
    if (performance.now() > limit) throw new Error(`${driver} is refused again and again`);
    await sleep(500);
  }
}
