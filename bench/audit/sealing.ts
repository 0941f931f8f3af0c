import { setTimeout as sleep } from 'node:timers/promises';
import { recordAuditEvent, Sealer } from '../../core/audit';
import { sealBatch } from '../../core/audit/seal';
import type { Bench } from '../support/run-benchmark';
import { fillOneByOne } from './fill';
import { eventOf } from './inserts';
import type { AuditScene } from './scene';

export interface SealRate {
  readonly events: number;
  readonly perSecond: number;
}

/** How long after its own time an event was under a signed checkpoint, in milliseconds, by the database's clock. */
export interface SealDelay {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** As fast as it can, from a backlog. */
export async function measureSealing(bench: Bench, scene: AuditScene): Promise<SealRate> {
  const pool = await scene.database('sealing');
  const events = bench.quick ? 20_000 : 200_000;
  await bench.progress.during(`record ${events.toLocaleString('en')} events`, () =>
    fillOneByOne(pool, events),
  );
  const began = performance.now();
  await bench.progress.during('seal them', async () => {
    while ((await sealBatch(pool, scene.signer)).events > 0);
  });
  const perSecond = events / ((performance.now() - began) / 1_000);
  await pool.end();
  return { events, perSecond };
}

/** Under a steady load, with the sealer as it runs by default. */
export async function measureSealDelay(bench: Bench, scene: AuditScene): Promise<SealDelay> {
  const pool = await scene.database('delay');
  const sealer = new Sealer(pool, scene.signer);
  const running = sealer.run();
  const seconds = bench.quick ? 3 : 20;
  const perSecond = 500;
  await bench.progress.during(`${perSecond} events a second for ${seconds} s`, async () => {
    const began = performance.now();
    const writes: Promise<void>[] = [];
    for (let n = 0; n < seconds * perSecond; n += 1) {
      const due = began + (n / perSecond) * 1_000;
      if (due > performance.now()) await sleep(due - performance.now());
      writes.push(recordAuditEvent(pool, eventOf(`delay/${n}`, n)));
    }
    await Promise.all(writes);
    await sleep(1_000);
  });
  sealer.stop();
  await running;
  const { rows } = await pool.query<{ p50: number; p99: number }>(
    `select percentile_cont(0.5) within group (order by ms) as p50, percentile_cont(0.99) within group (order by ms) as p99
       from (
         select extract(epoch from c.sealed_at - e.at) * 1000 as ms
           from chronawflow.audit_event e join chronawflow.audit_place s on s.event_id = e.id
           cross join lateral (select sealed_at from chronawflow.audit_checkpoint c
                                where c.log = s.log and c.size > s.index order by c.size limit 1) c
       ) delays`,
  );
  await pool.end();
  return { perSecond, p50: Number(rows[0]?.p50), p99: Number(rows[0]?.p99) };
}
