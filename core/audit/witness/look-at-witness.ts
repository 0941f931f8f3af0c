import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import { readLogs, StoredLog } from '../log';
import { askWitness, type WitnessAddress } from './ask-witness';
import { WitnessRefusedError } from './witness-refused-error';

/** What a witness says of the log as it is now. */
export type WitnessView =
  | { readonly kind: 'agrees'; readonly size: number }
  /** It has seen another log, or more of it. */
  | { readonly kind: 'refuses'; readonly said: string; readonly seen: number | undefined }
  | { readonly kind: 'away'; readonly cause: unknown };

/** A sealer that seals meanwhile is ahead of what was read: looked at again, a few times. */
const LOOKS = 5;

/**
 * Asks a witness whether the platform log still holds all that it has seen. What it has seen was in the database before it saw
 * it: a log that is read afterwards and is shorter was set back.
 */
export async function lookAtWitness(platform: Pool, witness: WitnessAddress): Promise<WitnessView> {
  let seenBefore = 0;
  for (let look = 1; ; look += 1) {
    try {
      return await ask(platform, witness);
    } catch (error) {
      if (!(error instanceof WitnessRefusedError)) throw error;
      if (error.retryable) return { kind: 'away', cause: error };
      const { seen, message } = error;
      if (seen === undefined || look === LOOKS || (await sizeNow(platform)) < Math.max(seen, seenBefore))
        return { kind: 'refuses', said: message, seen };
      seenBefore = seen;
    }
  }
}

async function ask(platform: Pool, witness: WitnessAddress): Promise<WitnessView> {
  return inTransaction(
    platform,
    async (tx) => {
      const [facts] = await readLogs(tx, 'platform');
      if (facts === undefined) return { kind: 'away', cause: new RangeError('nothing was sealed yet') };
      await askWitness(new StoredLog(tx, facts), witness);
      return { kind: 'agrees', size: facts.size };
    },
    { isolation: 'repeatable read', readOnly: true },
  );
}

async function sizeNow(platform: Pool): Promise<number> {
  const { rows } = await platform.query<{ size: string }>(
    `select size from chronawflow.audit_log where kind = 'platform'`,
  );
  return Number(rows[0]?.size ?? 0);
}
