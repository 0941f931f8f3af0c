import { table } from '../support/table';
import type { InsertRates } from './inserts';
import type { SealDelay, SealRate } from './sealing';
import type { ProofCosts, VerifyRates } from './verifying';

const whole = (value: number) => Math.round(value).toLocaleString('en');
const ratio = (a: number, b: number) => (a / b).toFixed(2);

export function insertTable({ audit, plain, chain }: InsertRates): string {
  return table(
    'Recording events, one transaction each, 16 connections',
    ['side', 'events/s', '÷ plain'],
    [
      ['audit event', whole(audit), ratio(audit, plain)],
      ['plain insert', whole(plain), '1'],
      ['hash chain under a lock of the tenant', whole(chain), ratio(chain, plain)],
    ],
  );
}

export function sealTable(rate: SealRate, delay: SealDelay): string {
  return table(
    'Sealing, with the ML-DSA-44 signature on each platform checkpoint',
    ['measured', ''],
    [
      [`events/s, from a backlog of ${whole(rate.events)}`, whole(rate.perSecond)],
      [`delay at ${delay.perSecond} events/s, median, ms`, whole(delay.p50)],
      ['the same, 99 %', whole(delay.p99)],
    ],
  );
}

export function verifyTable({ entries, sha256PerSecond, database, export: directory }: VerifyRates): string {
  return table(
    `Verifying ${whole(entries)} events`,
    ['side', 'events/s', '÷ SHA-256', 'peak MB'],
    [
      [
        'audit verify, in the database',
        whole(database.perSecond),
        ratio(database.perSecond, sha256PerSecond),
        whole(database.rssMb),
      ],
      [
        'audit verify --directory',
        whole(directory.perSecond),
        ratio(directory.perSecond, sha256PerSecond),
        whole(directory.rssMb),
      ],
      ['SHA-256 of the same entries, in memory', whole(sha256PerSecond), '1', ''],
    ],
  );
}

export function proofTable({ bytes, makeMs, verifyMs }: ProofCosts): string {
  return table(
    'A receipt',
    ['measured', ''],
    [
      ['bytes', whole(bytes)],
      ['made in ms', makeMs.toFixed(1)],
      ['verified in ms', verifyMs.toFixed(1)],
    ],
  );
}
