import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosRun } from '../../client';
import { hostTime } from '../../core/chaos/lease';
import { findFault } from '../../test/support/chaos-checker';
import { kill } from '../../test/support/chaos-stage';
import type { StormResult } from '../../test/support/chaos-storm';
import type { ChaosDeployment } from '../../test/support/chaos-temporal';
import { type SupervisedWorker, superviseControlWorker } from '../../test/support/chaos-worker';
import { until } from '../../test/support/until';

export interface WorkflowRound {
  readonly driver: string;
  readonly target: string;
  readonly victim: 'controllers’ process' | 'Temporal';
}

/** One experiment as a workflow; what leads it dies while its fault is there. */
export async function workflowRound(chaos: ChaosDeployment, round: WorkflowRound): Promise<StormResult> {
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
    const run = await begun(chaos, round, async () => (await leaseOf()) !== undefined);
    const lease = await leaseOf();
    if (round.victim === 'Temporal') await chaos.temporal.kill();
    else kill(worker.pid);
    let found = await find('');
    const end = lease?.deadlineMs ?? hostTime().uptimeMs;
    while (found !== undefined && hostTime().uptimeMs < end + 30_000) {
      await sleep(50);
      found = await find('');
      // Killed in another lane when no lease was left that would bring it back: then its supervisor does.
      if (found !== undefined && (await journal.ids()).length === 0) await chaos.stage.toxiproxy.revive();
    }
    const overstayMs = Math.max(0, hostTime().uptimeMs - end);
    if (round.victim === 'Temporal') await chaos.temporal.start();
    await run.result();
    return { driver, target, victim: 'controller', moment: 0, injected: true, overstayMs, residual: found };
  } finally {
    await worker.stop();
  }
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
