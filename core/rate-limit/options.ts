import { z } from 'zod';
import { limiterSettings } from '../../config';
import { InvalidInputError } from '../errors';
import type { Metrics } from '../metrics';
import type { GlobalLimits } from './global';
import type { RuleInput } from './rule';
import type { RulesInput } from './tenant-rules';

export interface RateLimiterOptions extends RulesInput {
  /** For every tenant and resource without a rule of its own. */
  readonly rule: RuleInput;
  /** Costs of operations that are asked for by name; 1 otherwise. */
  readonly costs?: Readonly<Record<string, number>>;
  readonly penalty?: {
    /** Hold after the first violation; each further one doubles it. Default 1 s. */
    readonly base?: string | number;
    /** Longest hold; default 15 minutes. */
    readonly max?: string | number;
    /** In this time half of the violations are forgotten; default 10 minutes. */
    readonly halfLife?: string | number;
    /** So many refusals within a window are a violation by themselves; none by default. */
    readonly after?: number;
  };
  /** Tenants that are remembered; default 100,000. */
  readonly maxTenants?: number;
  /** Health of the system from 1 to 0, for adaptive rules; asked at most once a second. */
  readonly health?: () => number;
  /** Where rules with `global` lease their tokens; such rules are refused without it. */
  readonly global?: GlobalLimits;
  /** Default: the process's shared metrics. */
  readonly metrics?: Metrics;
  /** Milliseconds of a monotonic clock; for tests. */
  readonly clock?: () => number;
}

const schema = z.object(limiterSettings);

export type LimiterSettings = z.output<typeof schema>;

/** @throws InvalidInputError naming the option. */
export function parseOptions(options: RateLimiterOptions): LimiterSettings {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const option = issue?.path.join('.') ?? 'options';
  throw new InvalidInputError(`${option}: ${issue?.message}`, { details: { option } });
}
