import type { Config } from '../../config';
import { InvalidInputError } from '../errors';
import type { Metrics } from '../metrics';
import { AdaptiveRateLimiter } from './adaptive-rate-limiter';
import { RateLimitConfiguration } from './configuration';
import { GlobalRateLimits } from './global';
import type { RulesInput } from './tenant-rules';

export interface ConfiguredRateLimitsOptions {
  /** Health of the system from 1 to 0, for adaptive rules; asked at most once a second. */
  readonly health?: () => number;
  /** What goes wrong in the background: the control-plane database away, rules that this version does not understand. */
  readonly onError?: (error: unknown) => void;
  /** Default: the process's shared metrics. */
  readonly metrics?: Metrics;
}

/**
 * The limits of a configuration file: its rules, the rules of single tenants that are kept in the control-plane database and
 * followed, and one limit over all processes where a rule is global.
 *
 * @example
 * const limits = await ConfiguredRateLimits.start(loadConfig());
 * const decision = await limits.limiter.checkRateLimit('acme', 'reports');
 * // at the end: await limits.close();
 */
export class ConfiguredRateLimits {
  readonly limiter: AdaptiveRateLimiter;
  private readonly configuration: RateLimitConfiguration;
  /** Only made when a rule needs it: it says every 0.8 s that the process lives. */
  private leases: GlobalRateLimits | undefined;

  private constructor(config: Pick<Config, 'platform' | 'rateLimits'>, options: ConfiguredRateLimitsOptions) {
    const { rateLimits, platform } = config;
    if (rateLimits === undefined) {
      throw new InvalidInputError('rateLimits: the configuration has no such section', {
        hint: 'For example rateLimits: { rule: { kind: sliding-window, limit: 100, window: 1m } }.',
        details: { option: 'rateLimits' },
      });
    }
    const { rule, resources, costs, penalty, maxTenants, poll, leaseWait, leaseTimeout } = rateLimits;
    const { health, onError, metrics } = options;
    const connection = platform.database;
    const leasing = { connection, maxWaitMs: leaseWait, timeoutMs: leaseTimeout, onError };
    this.limiter = new AdaptiveRateLimiter({
      ...{ rule, resources, costs, penalty, maxTenants, health, metrics },
      global: {
        meter: (key, shared) => {
          this.leases ??= new GlobalRateLimits(leasing);
          return this.leases.meter(key, shared);
        },
      },
    });
    const { limiter } = this;
    const directConnection = platform.directDatabase;
    this.configuration = new RateLimitConfiguration({
      ...{ connection, directConnection, limiter, pollMs: poll, onError },
    });
  }

  /** With the control-plane database away it starts all the same. @throws InvalidInputError when there is no such section */
  static async start(
    config: Pick<Config, 'platform' | 'rateLimits'>,
    options: ConfiguredRateLimitsOptions = {},
  ): Promise<ConfiguredRateLimits> {
    const limits = new ConfiguredRateLimits(config, options);
    await limits.configuration.start();
    return limits;
  }

  /** Gives a tenant rules of its own in all processes; undefined takes them away. @throws InvalidInputError */
  configureTenant(tenant: string, rules: RulesInput | undefined, by: string): Promise<void> {
    return this.configuration.configureTenant(tenant, rules, by);
  }

  async close(): Promise<void> {
    await Promise.all([this.configuration.close(), this.leases?.close()]);
  }
}
