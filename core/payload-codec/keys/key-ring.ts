import { PayloadKeyDestroyedError } from '../errors/payload-key-destroyed-error';
import type { DataKey, PayloadOwner } from '../types';
import type { KeyStore, StoredKey } from './key-store';

export interface KeyRingOptions {
  /** How long an unwrapped key is kept. */
  readonly keepMs: number;
  readonly rotateAfterMs: number;
  /** Whether work that is under way goes on while its owner's keys are about to be destroyed: in workers, so that it can end. */
  readonly endsWork: boolean;
}

interface Kept {
  readonly key: DataKey;
  readonly until: number;
}

/** About 1 KB each, so 20 MB at the most. */
const MOST_KEPT = 20_000;

/** Unwrapped keys in memory, for a while: a payload must not cost a query. */
export class KeyRing {
  private readonly byOwner = new Map<PayloadOwner, Kept>();
  private readonly byId = new Map<string, Kept>();
  private readonly asked = new Map<string, Promise<DataKey>>();

  constructor(
    private readonly store: KeyStore,
    private readonly options: KeyRingOptions,
  ) {}

  /** The key that an owner's payloads are encrypted with now; a promise only where it has to be fetched. */
  toSeal(owner: PayloadOwner): DataKey | Promise<DataKey> {
    return kept(this.byOwner, owner) ?? this.once(`owner ${owner}`, () => this.fetchNewest(owner));
  }

  /** @throws PayloadKeyUnknownError, PayloadKeyDestroyedError */
  toOpen(id: string): DataKey | Promise<DataKey> {
    return kept(this.byId, id) ?? this.once(`key ${id}`, async () => this.keep(await this.store.byId(id)));
  }

  private async fetchNewest(owner: PayloadOwner): Promise<DataKey> {
    const { rotateAfterMs, endsWork } = this.options;
    try {
      const key = await this.store.newest(owner, rotateAfterMs);
      keep(this.byOwner, owner, {
        key,
        until: Date.now() + Math.min(this.options.keepMs, rotateAfterMs - key.ageMs),
      });
      return this.keep(key);
    } catch (error) {
      if (!endsWork || !(error instanceof PayloadKeyDestroyedError)) throw error;
      const last = await this.store.newestOfClosing(owner);
      if (last === undefined) throw error;
      return this.keep(last);
    }
  }

  private keep({ id, owner, key }: StoredKey): DataKey {
    const dataKey = { id, owner, key };
    keep(this.byId, id, { key: dataKey, until: Date.now() + this.options.keepMs });
    return dataKey;
  }

  /** Many payloads want the same key at the same moment. */
  private once(what: string, fetch: () => Promise<DataKey>): Promise<DataKey> {
    const running = this.asked.get(what);
    if (running !== undefined) return running;
    const fetching = fetch().finally(() => this.asked.delete(what));
    this.asked.set(what, fetching);
    return fetching;
  }
}

function kept(keys: Map<string, Kept>, name: string): DataKey | undefined {
  const found = keys.get(name);
  if (found === undefined) return undefined;
  if (Date.now() < found.until) return found.key;
  keys.delete(name);
  return undefined;
}

function keep(keys: Map<string, Kept>, name: string, key: Kept): void {
  keys.delete(name);
  keys.set(name, key);
  if (keys.size <= MOST_KEPT) return;
  // The one that was fetched the longest ago.
  for (const oldest of keys.keys()) {
    keys.delete(oldest);
    break;
  }
}
