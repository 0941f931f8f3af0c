import { z } from 'zod';
import { duration } from '../../config/duration';
import { InvalidInputError } from '../errors';
import type { Metrics } from '../metrics';
import { DEFAULT_DAMPING } from './damping.pure';

/** Throws, rejects or does not settle in time when the component is not well. */
export type Check = (signal: AbortSignal) => unknown;

export interface CheckOptions {
  readonly name: string;
  readonly check: Check;
  /** `liveness`: this process cannot be helped but by a restart. Default `readiness`. */
  readonly kind?: 'liveness' | 'readiness';
  /** Whether the process is not ready without it; otherwise it is degraded. Default true. */
  readonly critical?: boolean;
  /** Default 10 s. */
  readonly every?: string | number;
  /** Default 2 s. */
  readonly timeout?: string | number;
  readonly failAfter?: number;
  readonly recoverAfter?: number;
}

export interface HealthOptions {
  readonly checks: readonly CheckOptions[];
  /** Changes kept of each component; default 50. */
  readonly history?: number;
  /** Default: the process's shared metrics. */
  readonly metrics?: Metrics;
  /** Told of each change. */
  readonly onChange?: (component: string, up: boolean) => void;
}

const positive = duration.refine((ms) => ms > 0, 'has to be longer than 0');
const count = z.number().int().min(1).max(1_000);

const schema = z.object({
  checks: z.array(
    z.strictObject({
      name: z.string().min(1),
      check: z.custom<Check>((value) => typeof value === 'function', 'is no function'),
      kind: z.enum(['liveness', 'readiness']).default('readiness'),
      critical: z.boolean().default(true),
      every: positive.default(10_000),
      timeout: positive.default(2_000),
      failAfter: count.default(DEFAULT_DAMPING.failAfter),
      recoverAfter: count.default(DEFAULT_DAMPING.recoverAfter),
    }),
  ),
  history: z.number().int().min(1).max(10_000).default(50),
});

export type HealthSettings = z.output<typeof schema>;
export type CheckSettings = HealthSettings['checks'][number];

/** @throws InvalidInputError naming the option. */
export function parseHealthOptions(options: HealthOptions): HealthSettings {
  const parsed = schema.safeParse(options);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const option = issue?.path.join('.') ?? 'options';
    throw new InvalidInputError(`${option}: ${issue?.message}`, { details: { option } });
  }
  const names = parsed.data.checks.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new InvalidInputError(`checks: there are two named '${twice}'.`, { details: { option: 'checks' } });
  }
  return parsed.data;
}
