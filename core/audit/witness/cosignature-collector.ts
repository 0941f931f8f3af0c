import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { askWitness, type WitnessAddress } from './ask-witness';
import { saveCosignature, withUnwitnessedLog } from './cosignature-store';

export interface CollectorOptions {
  /** Default 1 s. */
  readonly everyMs?: number;
  readonly onError?: (witness: string, error: unknown) => void;
  /** It has been asked, and has nothing against the log. */
  readonly onAgreed?: (witness: string) => void;
}

/** While a witness refuses or is away it is asked less often. */
const LONGEST_PAUSE_MS = 30_000;

/** Has the newest checkpoint of the platform log cosigned by every witness, each at its own pace. */
export class CosignatureCollector {
  private readonly ended = new AbortController();

  constructor(
    private readonly pool: Pool,
    private readonly witnesses: readonly WitnessAddress[],
    private readonly options: CollectorOptions = {},
  ) {}

  /** Resolves after `stop()`. */
  async run(): Promise<void> {
    await Promise.all(this.witnesses.map((witness) => this.follow(witness)));
  }

  stop(): void {
    this.ended.abort();
  }

  private async follow(witness: WitnessAddress): Promise<void> {
    const everyMs = this.options.everyMs ?? 1_000;
    let failures = 0;
    while (!this.ended.signal.aborted) {
      try {
        await this.collect(witness);
        this.options.onAgreed?.(witness.key.name);
        failures = 0;
      } catch (error) {
        failures += 1;
        this.options.onError?.(witness.key.name, error);
      }
      const pause = Math.min(LONGEST_PAUSE_MS, everyMs * 2 ** failures);
      await sleep(pause, undefined, { signal: this.ended.signal }).catch(() => undefined);
    }
  }

  private async collect(witness: WitnessAddress): Promise<void> {
    const cosigned = await withUnwitnessedLog(this.pool, witness.key.name, async (log) => ({
      size: log.size,
      signature: await askWitness(log, witness),
    }));
    if (cosigned !== undefined) await saveCosignature(this.pool, cosigned.size, cosigned.signature);
  }
}
