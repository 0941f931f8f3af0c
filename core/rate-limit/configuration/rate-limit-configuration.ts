import type { Pool } from 'pg';
import { type ConnectionSettings, createPool, Listener, Reread } from '../../../database';
import { recordAuditEvent } from '../../audit';
import { errorListener } from '../../errors';
import type { AdaptiveRateLimiter } from '../adaptive-rate-limiter';
import { positiveMs } from '../positive-ms';
import { parseRules, type RulesInput } from '../tenant-rules';
import { CHANNEL, type ChangedRules, readRules, writeRules } from './rule-store';

export interface RateLimitConfigurationOptions {
  /** The control-plane database. */
  readonly connection: ConnectionSettings;
  /** A direct way to it where `connection` leads through a transaction pooler, which LISTEN does not pass. */
  readonly directConnection?: ConnectionSettings;
  readonly limiter: AdaptiveRateLimiter;
  /** A change that was not heard of is found after so long, in milliseconds; default 5,000. */
  readonly pollMs?: number;
  readonly onError?: (error: unknown) => void;
}

const POLL_MS = 5_000;

/**
 * Tenants' rules, kept in the control-plane database and told to every process: by notification within a second, and by
 * polling within `pollMs` and the time of one query where notifications do not come through.
 *
 * @example
 * const configuration = new RateLimitConfiguration({ connection, limiter });
 * await configuration.start();
 * await configuration.configureTenant('acme', { rule: { kind: 'fixed-window', limit: 10, window: '1s' } }, 'ops');
 */
export class RateLimitConfiguration {
  private readonly report: (error: unknown) => void;
  private readonly pool: Pool;
  private readonly pollMs: number;
  private readonly listener: Listener;
  private readonly rules: Reread;
  private poll: NodeJS.Timeout | undefined;
  private version = 0;
  private readonly floors = new Map<string, NodeJS.Timeout>();

  constructor(private readonly options: RateLimitConfigurationOptions) {
    this.report = errorListener('RateLimitConfiguration', options.onError);
    this.pollMs = positiveMs('pollMs', options.pollMs ?? POLL_MS);
    this.pool = createPool(options.connection, { applicationName: 'chronawflow rate limit rules', max: 2 });
    const direct = options.directConnection ?? options.connection;
    this.rules = new Reread(() => this.read(), this.report);
    this.listener = new Listener(
      direct,
      'chronawflow rate limit changes',
      CHANNEL,
      () => this.rules.now(),
      this.report,
    );
  }

  /** Reads the rules and goes on following them. With the database away it starts all the same and reads them later. */
  async start(): Promise<void> {
    this.poll = setInterval(() => this.rules.now(), this.pollMs);
    this.poll.unref();
    await this.listener.open();
    await this.rules.now();
  }

  /**
   * Gives a tenant rules of its own in all processes; undefined takes them away.
   *
   * @throws InvalidInputError naming what is nonsense, before anything is written.
   */
  async configureTenant(tenant: string, rules: RulesInput | undefined, by: string): Promise<void> {
    if (rules !== undefined) parseRules(rules, `tenants.${tenant}`);
    const version = await writeRules(this.pool, tenant, rules, by);
    await recordAuditEvent(this.pool, {
      id: `rate-limit.configure/${version}`,
      actor: by,
      action: 'rate-limit.configure',
      tenant,
      outcome: 'ok',
      details: { rules: rules ?? null, version },
    });
    await this.rules.now();
  }

  async close(): Promise<void> {
    clearInterval(this.poll);
    for (const end of this.floors.values()) clearTimeout(end);
    await this.listener.close();
    await this.rules.idle();
    await this.pool.end();
  }

  private async read(): Promise<void> {
    for (const change of await readRules(this.pool, this.version)) {
      this.follow(change);
      this.version = change.version;
    }
  }

  /** A floor goes before the tenant's rules, and ends here on time, also while the database is away. */
  private follow({ tenant, rules, floor, floorMs }: ChangedRules): void {
    clearTimeout(this.floors.get(tenant));
    this.floors.delete(tenant);
    const held = floor !== null && floorMs !== null && floorMs > 0;
    this.apply(tenant, held ? floor : rules);
    if (!held) return;
    const end = setTimeout(() => {
      this.floors.delete(tenant);
      this.apply(tenant, rules);
    }, floorMs);
    end.unref();
    this.floors.set(tenant, end);
  }

  /** Rules that this version does not understand leave the tenant as it was: others must still be read. */
  private apply(tenant: string, rules: unknown): void {
    try {
      this.options.limiter.configureTenant(tenant, rules === null ? undefined : Object(rules));
    } catch (error) {
      this.report(error);
    }
  }
}
