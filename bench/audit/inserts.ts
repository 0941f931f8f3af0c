import type { Pool } from 'pg';
import { type AuditEvent, recordAuditEvent } from '../../core/audit';
import { inTransaction } from '../../database';
import type { Bench } from '../support/run-benchmark';
import { median } from '../support/statistics.pure';
import type { AuditScene } from './scene';

/** Events per second of each side, medians. */
export interface InsertRates {
  readonly audit: number;
  readonly plain: number;
  readonly chain: number;
}

const CONNECTIONS = 16;
const TENANTS = 8;

/** The same columns and the same key, without what sealing needs and without triggers. */
const PLAIN = `create table plain (
  id text primary key, at timestamptz not null default clock_timestamp(), actor text not null, action text not null,
  tenant text, object text, outcome text not null, reason text, request text, details jsonb not null)`;

/** What is built most often: each row holds the hash of the one before it, under a lock of its tenant. */
const CHAIN = `create table chain (
  n bigint generated always as identity, id text primary key, at timestamptz not null default clock_timestamp(),
  actor text not null, action text not null, tenant text not null, object text, outcome text not null,
  details jsonb not null, hash bytea not null);
  create index on chain (tenant, n desc)`;

/** As many inserts as the server commits from 16 connections, each in a transaction of its own. */
export async function measureInserts(bench: Bench, scene: AuditScene): Promise<InsertRates> {
  const pool = await scene.database('inserts');
  await pool.query(`${PLAIN}; ${CHAIN}`);
  const seconds = bench.quick ? 0.5 : 4;
  const rounds = bench.quick ? 3 : 5;
  const sides = {
    audit: (event: AuditEvent) => recordAuditEvent(pool, event),
    plain: (event: AuditEvent) => insertPlain(pool, event),
    chain: (event: AuditEvent) => insertChained(pool, event),
  };
  const rates = { audit: [] as number[], plain: [] as number[], chain: [] as number[] };
  const names = ['audit', 'plain', 'chain'] as const;
  for (let round = 0; round <= rounds; round += 1) {
    for (const [i] of names.entries()) {
      const name = names[(i + round) % names.length] ?? 'audit';
      const rate = await bench.progress.during(`inserts, round ${round} of ${rounds}: ${name}`, () =>
        perSecond(sides[name], `${name}${round}`, seconds),
      );
      // The first round is warm-up.
      if (round > 0) rates[name].push(rate);
    }
  }
  await pool.end();
  return { audit: median(rates.audit), plain: median(rates.plain), chain: median(rates.chain) };
}

async function perSecond(
  insert: (event: AuditEvent) => Promise<unknown>,
  prefix: string,
  seconds: number,
): Promise<number> {
  let count = 0;
  const began = performance.now();
  const end = began + seconds * 1_000;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < end) {
        const n = count++;
        await insert(eventOf(`${prefix}/${n}`, n));
      }
    }),
  );
  return count / ((performance.now() - began) / 1_000);
}

/** About as long as what a restore's step writes. */
export function eventOf(id: string, n: number): AuditEvent {
  return {
    id,
    actor: 'ada@example.org',
    action: 'restore.stage',
    tenant: `tenant-${n % TENANTS}`,
    object: 'r3f2a9c1b7d40',
    outcome: 'ok',
    request: `restore/tenant-${n % TENANTS}/2026-11-23`,
    details: { rows: n, bytes: 123_456, digest: 'c0ffee00c0ffee00c0ffee00c0ffee00' },
  };
}

function insertPlain(pool: Pool, event: AuditEvent): Promise<unknown> {
  return pool.query(
    `insert into plain (id, actor, action, tenant, object, outcome, reason, request, details)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id) do nothing`,
    [
      event.id,
      event.actor,
      event.action,
      event.tenant ?? null,
      event.object ?? null,
      event.outcome,
      null,
      event.request ?? null,
      JSON.stringify(event.details ?? {}),
    ],
  );
}

async function insertChained(pool: Pool, event: AuditEvent): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await tx.query('select pg_advisory_xact_lock(hashtext($1))', [event.tenant]);
    await tx.query(
      `insert into chain (id, actor, action, tenant, object, outcome, details, hash)
       select $1, $2, $3, $4, $5, $6, $7::text::jsonb,
              sha256(coalesce((select hash from chain where tenant = $4 order by n desc limit 1), '') || convert_to($1 || $7::text, 'UTF8'))`,
      [
        event.id,
        event.actor,
        event.action,
        event.tenant,
        event.object,
        event.outcome,
        JSON.stringify(event.details),
      ],
    );
  });
}
