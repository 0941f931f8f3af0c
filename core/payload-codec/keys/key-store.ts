import { randomBytes, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import { KeyEncryptionKeyInvalidError } from '../errors/key-encryption-key-invalid-error';
import { PayloadKeyDestroyedError } from '../errors/payload-key-destroyed-error';
import { PayloadKeyUnknownError } from '../errors/payload-key-unknown-error';
import type { DataKey, PayloadOwner } from '../types';
import type { KeyEncryptionKey } from './key-encryption-key';
import { lockActive } from './lock-active';

const KEY_BYTES = 32;

/** A data key with what the store knows of it. */
export interface StoredKey extends DataKey {
  /** How long ago it was made, by the database's clock. */
  readonly ageMs: number;
}

interface WrappedKey {
  readonly id: string;
  readonly owner: PayloadOwner;
  readonly wrapped: Buffer | null;
  readonly wrapped_by: string;
  readonly age_ms: number;
}

const COLUMNS = `k.id, k.owner, k.wrapped, k.wrapped_by,
  (extract(epoch from clock_timestamp() - k.created_at) * 1000)::float8 as age_ms`;

/** Data keys in the control plane's database, wrapped. */
export class KeyStore {
  private readonly wrapping: KeyEncryptionKey;

  /** @param keys the first one wraps, all unwrap */
  constructor(
    private readonly platform: Pool,
    private readonly keys: readonly [KeyEncryptionKey, ...KeyEncryptionKey[]],
  ) {
    [this.wrapping] = keys;
  }

  /**
   * The owner's newest key, made where there is none, or where it is older than `rotateAfterMs`.
   *
   * @throws PayloadKeyDestroyedError when the owner is closing or destroyed
   */
  async newest(owner: PayloadOwner, rotateAfterMs: number): Promise<StoredKey> {
    const { rows } = await this.platform.query<WrappedKey>(
      `select ${COLUMNS} from chronawflow.payload_key k join chronawflow.payload_owner o using (owner)
        where owner = $1 and o.state = 'active' and k.retired_at is null order by k.created_at desc limit 1`,
      [owner],
    );
    const [found] = rows;
    return found !== undefined && found.age_ms < rotateAfterMs
      ? this.unwrap(found)
      : this.make(owner, rotateAfterMs);
  }

  /** For what still runs while its owner is closing: the newest key there is, and never a new one. */
  async newestOfClosing(owner: PayloadOwner): Promise<StoredKey | undefined> {
    const { rows } = await this.platform.query<WrappedKey>(
      `select ${COLUMNS} from chronawflow.payload_key k join chronawflow.payload_owner o using (owner)
        where owner = $1 and o.state = 'closing' order by k.created_at desc limit 1`,
      [owner],
    );
    return rows[0] && this.unwrap(rows[0]);
  }

  /** @throws PayloadKeyUnknownError, PayloadKeyDestroyedError */
  async byId(id: string): Promise<StoredKey> {
    const { rows } = await this.platform.query<WrappedKey>(
      `select ${COLUMNS} from chronawflow.payload_key k where k.id = $1`,
      [id],
    );
    if (rows[0] === undefined) throw new PayloadKeyUnknownError(id);
    return this.unwrap(rows[0]);
  }

  /** Makes the owner's next key, unless another process has just done so. */
  private make(owner: PayloadOwner, rotateAfterMs: number): Promise<StoredKey> {
    return inTransaction(this.platform, async (tx) => {
      await lockActive(tx, owner);
      const { rows } = await tx.query<WrappedKey>(
        `select ${COLUMNS} from chronawflow.payload_key k
          where owner = $1 and k.retired_at is null order by created_at desc limit 1`,
        [owner],
      );
      const [found] = rows;
      if (found !== undefined && found.age_ms < rotateAfterMs) return this.unwrap(found);
      const id = randomUUID();
      const key = randomBytes(KEY_BYTES);
      await tx.query(
        'insert into chronawflow.payload_key (id, owner, wrapped, wrapped_by) values ($1, $2, $3, $4)',
        [id, owner, await this.wrapping.wrap(key, boundOf(id, owner)), this.wrapping.id],
      );
      return { id, owner, key, ageMs: 0 };
    });
  }

  /**
   * Wraps every key anew that another key-encryption key than the first wraps, so that the other one can be given up.
   *
   * @returns how many
   */
  async rewrap(): Promise<number> {
    const { rows } = await this.platform.query<WrappedKey>(
      `select ${COLUMNS} from chronawflow.payload_key k where wrapped is not null and wrapped_by <> $1`,
      [this.wrapping.id],
    );
    for (const row of rows) {
      const { id, owner, key } = await this.unwrap(row);
      // One that was destroyed meanwhile stays so.
      await this.platform.query(
        'update chronawflow.payload_key set wrapped = $2, wrapped_by = $3 where id = $1 and wrapped is not null',
        [id, await this.wrapping.wrap(key, boundOf(id, owner)), this.wrapping.id],
      );
    }
    return rows.length;
  }

  /** Wraps and unwraps something, to see that the first key-encryption key works. @throws KeyEncryptionKeyInvalidError */
  async tryWrapping(): Promise<void> {
    const sample = randomBytes(KEY_BYTES);
    const back = await this.wrapping.unwrap(await this.wrapping.wrap(sample, 'trial'), 'trial');
    if (!back.equals(sample))
      throw new KeyEncryptionKeyInvalidError(this.wrapping.id, 'it unwraps to something else');
  }

  private async unwrap({ id, owner, wrapped, wrapped_by, age_ms }: WrappedKey): Promise<StoredKey> {
    if (wrapped === null) throw new PayloadKeyDestroyedError(owner, 'destroyed');
    const by = this.keys.find((one) => one.id === wrapped_by);
    if (by === undefined) throw new KeyEncryptionKeyInvalidError(wrapped_by, 'it is not configured here');
    return { id, owner, key: await by.unwrap(wrapped, boundOf(id, owner)), ageMs: age_ms };
  }
}

/** What a wrapped key is bound to, so that one cannot be put in another one's place. */
function boundOf(id: string, owner: PayloadOwner): string {
  return JSON.stringify(['chronawflow data key v1', id, owner]);
}
