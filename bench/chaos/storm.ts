import { percentile, seededRandom } from '../../core/chaos';
import { type StormFault, type StormResult, stormRound, VICTIMS } from '../../test/support/chaos-storm';
import type { ChaosDeployment } from '../../test/support/chaos-temporal';
import { superviseToxiproxy } from '../../test/support/chaos-toxiproxy-supervisor';
import type { Bench, Measured } from '../support/run-benchmark';
import { table } from '../support/table';
import { type WorkflowRound, workflowRound } from './workflow-round';

/** The seed is printed with the figures: the same seed makes the same plan. */
const SEED = Number(process.env.CHRONAWFLOW_CHAOS_SEED ?? 20_261_126);

/** A busy machine does fewer of them: then the figure `experiments` says so. */
const LONGEST_MS = Number(process.env.CHRONAWFLOW_CHAOS_MINUTES ?? 9) * 60_000;

/** As many experiments as there are leases that end by themselves within the time; lanes have a target each. */
const TIMES = { durationMs: 4_000, termMs: 2_500, limitMs: 30_000 };

const LANES: readonly (readonly StormFault[])[] = [
  [
    { driver: 'toxiproxy.latency', target: 'proxy-1', parameters: { latencyMs: 300, jitterMs: 50 } },
    { driver: 'toxiproxy.down', target: 'proxy-1' },
    { driver: 'toxiproxy.bandwidth', target: 'proxy-1', parameters: { kilobytesPerSecond: 1 } },
    { driver: 'toxiproxy.slow-close', target: 'proxy-1', parameters: { delayMs: 500 } },
  ],
  [
    { driver: 'postgres.read-only', target: 'database' },
    { driver: 'postgres.connections', target: 'database' },
    { driver: 'postgres.archiving-broken', target: 'database' },
    { driver: 'postgres.lock', target: 'database', parameters: { table: 'public.ledger' } },
    { driver: 'postgres.slow-statements', target: 'database' },
    { driver: 'postgres.terminate', target: 'database' },
  ],
  [
    { driver: 'process.stop', target: 'unit' },
    { driver: 'backup.flipped', target: 'repository', parameters: { file: 'base.tar' } },
    { driver: 'process.kill', target: 'unit' },
    { driver: 'backup.lost', target: 'repository', parameters: { file: 'base.tar' } },
    { driver: 'temporal.queue-flooded', target: 'queue', parameters: { workflows: 20 } },
  ],
  [
    { driver: 'toxiproxy.timeout', target: 'proxy-2' },
    { driver: 'toxiproxy.reset', target: 'proxy-2' },
  ],
];

/** Experiments as workflows, during which the controllers' process or Temporal dies. */
const WORKFLOWS: readonly WorkflowRound[] = [
  { driver: 'toxiproxy.down', target: 'proxy-3', victim: 'controllers’ process' },
  { driver: 'toxiproxy.timeout', target: 'proxy-3', victim: 'Temporal' },
];

/**
 * @param host faults of the host, for a lane of their own
 * @param standby of a standby, for the servers' lane
 */
export async function measureStorm(
  bench: Bench,
  chaos: ChaosDeployment,
  { host, standby }: { readonly host: readonly StormFault[]; readonly standby: readonly StormFault[] },
): Promise<Measured> {
  const { quick, progress, signal, cleanUp } = bench;
  const random = seededRandom(SEED);
  const begun = performance.now();
  const perLane = quick ? 5 : 45;
  const [proxy = [], servers = [], ...others] = LANES;
  const plan = [proxy, [...servers, ...standby], ...others, host].map((faults) =>
    Array.from({ length: perLane }, (_, at) => ({
      ...(faults[at % faults.length] ?? { driver: '', target: '' }),
      victim: VICTIMS[Math.floor(random() * VICTIMS.length)] ?? 'nobody',
      // From where most faults are really there to where the controller has rolled most of them back.
      moment: 0.2 + random() * 0.6,
    })),
  );
  const lanes = plan.map(async (rounds) => {
    const done: StormResult[] = [];
    for (const round of rounds) {
      if (performance.now() - begun > LONGEST_MS) break;
      done.push(await stormRound(chaos.stage, round, TIMES, signal));
      progress.line(`${round.driver}, ${round.victim}`);
    }
    return done;
  });
  const workflows = async () => {
    const done: StormResult[] = [];
    for (let at = 0; at < (quick ? 1 : 6); at += 1) {
      const round = WORKFLOWS[at % WORKFLOWS.length];
      if (performance.now() - begun > LONGEST_MS) break;
      if (round !== undefined) done.push(await workflowRound(chaos, round, signal));
    }
    return done;
  };
  const all = [...lanes, workflows()];
  // A benchmark that is stopped lets go of everything before it is taken down.
  cleanUp.add(() => Promise.allSettled(all));
  const results = (await Promise.all(all)).flat();
  // Killed by the last experiment of all, it has nobody who misses it.
  await superviseToxiproxy(chaos.stage);
  const minutes = (performance.now() - begun) / 60_000;
  const overstays = results.map(({ overstayMs }) => overstayMs);
  const absent = chaos.stage.host.drivers.names.filter(
    (name) => !results.some(({ driver }) => driver === name),
  );
  const residual = results.filter((one) => one.residual !== undefined);
  return {
    text: [
      table(
        `Experiments with a death in the middle (seed ${SEED})`,
        ['fault', 'experiments', 'really there', 'residual', 'longest overstay, ms'],
        [...new Set(results.map(({ driver }) => driver))].sort().map((driver) => {
          const own = results.filter((one) => one.driver === driver);
          return [
            driver,
            own.length,
            own.filter(({ injected }) => injected).length,
            own.filter((one) => one.residual !== undefined).length,
            Math.round(Math.max(...own.map(({ overstayMs }) => overstayMs))),
          ];
        }),
      ),
      table(
        'By who died',
        ['victim', 'experiments', 'median overstay, ms', 'longest, ms'],
        [...new Set(results.map(({ victim }) => victim))].sort().map((victim) => {
          const own = results.filter((one) => one.victim === victim).map(({ overstayMs }) => overstayMs);
          return [victim, own.length, Math.round(percentile(own, 0.5)), Math.round(Math.max(...own))];
        }),
      ),
      `Kinds of faults that were not among them: ${absent.join(', ') || 'none'}`,
      ...results.flatMap(({ driver, victim, overstayMs, late }) =>
        late === undefined
          ? []
          : [`LATE: ${driver}, ${victim}: gone ${overstayMs} ms after its lease; ${late}`],
      ),
      ...residual.map(
        ({ driver, victim, moment, residual: what }) => `LEFT: ${driver}, ${victim} at ${moment}: ${what}`,
      ),
    ].join('\n'),
    figures: {
      experiments: results.length,
      kills: results.filter(({ victim }) => victim !== 'nobody').length,
      fault_kinds: new Set(results.map(({ driver }) => driver)).size,
      residual: residual.length,
      overstay_p99_ms: percentile(overstays, 0.99),
      overstay_max_ms: Math.max(...overstays),
      closed_p99_ms: percentile(
        results.map(({ closedMs }) => closedMs),
        0.99,
      ),
      experiments_per_minute: results.length / minutes,
    },
  };
}
