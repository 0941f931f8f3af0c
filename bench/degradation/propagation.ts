import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Pool } from 'pg';
import { z } from 'zod';
import { DegradationStore, INITIAL_STATE } from '../../core/degradation';
import { change } from '../../core/degradation/change.pure';
import { applyMigrations, type ConnectionSettings } from '../../database';
import { BOOKS, configWith, policyWith } from '../../test/support/degradation-policy';
import { startPostgres } from '../../test/support/real-postgres';
import { until } from '../../test/support/until';
import type { Bench, Measured } from '../support/run-benchmark';
import { table } from '../support/table';

const PROCESSES = 20;

/** Every other change is a step back. */
const UNBOUNDED = { ...policyWith(BOOKS), recoveriesPerHour: Number.MAX_SAFE_INTEGER };

const event = z.object({
  ready: z.boolean().optional(),
  version: z.number().optional(),
  at: z.number().optional(),
});

/** From before the commit of a level until it is in force, in twenty processes on this host. */
export async function measurePropagation({ quick, cleanUp, progress }: Bench): Promise<Measured> {
  const postgres = await progress.during('Starting the control plane', () =>
    startPostgres({ settings: { fsync: true, max_connections: 150 } }),
  );
  cleanUp.add(() => postgres.stop());
  const platform = await postgres.createDatabase('platform');
  await applyMigrations(platform, 'platform');
  const fleet = new Followers(postgres.connection('platform'));
  cleanUp.add(() => fleet.stop());
  await progress.during(`Starting ${PROCESSES} processes`, () => fleet.ready());
  const told = await progress.during('Changes that are told', () =>
    measure(quick ? 10 : 50, fleet, (version) => publish(platform, version)),
  );
  const polled = await progress.during('Changes that are not told', () =>
    measure(quick ? 5 : 20, fleet, (version) => publishInSilence(platform, version)),
  );
  const row = (name: string, values: readonly number[]) => [
    name,
    values.length / PROCESSES,
    ...[0.5, 0.99, 1].map((share) => Math.round(percentile(values, share))),
  ];
  return {
    figures: {
      propagation_p50_ms: percentile(told, 0.5),
      propagation_p99_ms: percentile(told, 0.99),
      propagation_poll_p99_ms: percentile(polled, 0.99),
    },
    text: table(
      `From a level to ${PROCESSES} processes, milliseconds`,
      ['', 'changes', 'p50', 'p99', 'most'],
      [row('with notifications', told), row('by polling alone', polled)],
    ),
  };
}

/** @returns milliseconds, one for each change and process */
async function measure(
  changes: number,
  fleet: Followers,
  publishVersion: (version: number) => Promise<void>,
): Promise<number[]> {
  const delays: number[] = [];
  for (let nth = 0; nth < changes; nth += 1) {
    const version = fleet.nextVersion();
    const begun = Date.now();
    await publishVersion(version);
    delays.push(...(await fleet.arrivals(version)).map((at) => at - begun));
  }
  return delays;
}

const levelOf = (version: number) => (version % 2 === 1 ? 'reduced' : 'normal');

async function publish(platform: Pool, version: number): Promise<void> {
  const before = { ...INITIAL_STATE, version: version - 1 };
  const { state, transition } = change(before, { to: version % 2, direction: 'escalation', reason: 'bench' });
  const publication = { scope: 'platform', level: levelOf(version), state, transition, request: undefined };
  await new DegradationStore(platform).publish(UNBOUNDED, publication);
}

/** As if the notification had been lost. */
async function publishInSilence(platform: Pool, version: number): Promise<void> {
  await platform.query('update chronawflow.degradation_level set version = $1, level = $2, rank = $3', [
    version,
    levelOf(version),
    version % 2,
  ]);
}

/** Twenty processes, and when each of them had which version. */
class Followers {
  private readonly arrived = new Map<number, number[]>();
  private readonly children: readonly ChildProcess[];
  private started = 0;
  private latest = 0;

  constructor(database: ConnectionSettings) {
    const config = JSON.stringify({ ...configWith(BOOKS), platform: { database } });
    this.children = Array.from({ length: PROCESSES }, () => {
      const args = [join(__dirname, 'follower.cjs'), config];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      createInterface(child.stdout).on('line', (line) => this.heard(event.parse(JSON.parse(line))));
      return child;
    });
  }

  nextVersion(): number {
    this.latest += 1;
    return this.latest;
  }

  async ready(): Promise<void> {
    await until(() => this.started === PROCESSES, { limitMs: 120_000, what: 'the followers to be ready' });
  }

  /** Waits until every process has the version. @returns when each of them had it */
  async arrivals(version: number): Promise<readonly number[]> {
    const found = () => this.arrived.get(version) ?? [];
    await until(() => found().length === PROCESSES, { what: 'every process to have the level' });
    return found();
  }

  async stop(): Promise<void> {
    for (const child of this.children) await end(child);
  }

  private heard({ ready, version, at }: z.output<typeof event>): void {
    if (ready) this.started += 1;
    if (version === undefined || at === undefined) return;
    this.arrived.set(version, [...(this.arrived.get(version) ?? []), at]);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
