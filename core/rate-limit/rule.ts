import { z } from 'zod';
import { duration } from '../../config/duration';
import { InvalidInputError } from '../errors';

const limit = z.number().int('give a whole number of units').min(1).max(1e12);
const share = z.number().gt(0).lte(1);
const window = duration
  .refine((ms) => ms >= 1, 'a window is at least 1 ms long')
  .refine((ms) => ms <= 366 * 86_400_000, 'a window is at most a year long');

/** One limit over all processes; its window, or the time in which a bucket fills, is then at least a second. */
const scope = z
  .strictObject({
    /** What one process may admit of the limit while the database is away; all processes' shares sum up to 1. */
    localShare: share,
  })
  .optional();

const fixedWindow = z.strictObject({ kind: z.literal('fixed-window'), limit, window, global: scope });
const slidingWindow = z.strictObject({ kind: z.literal('sliding-window'), limit, window, global: scope });
const tokenBucket = z.strictObject({
  kind: z.literal('token-bucket'),
  /** Most that can be admitted at once. */
  capacity: limit,
  refillPerSecond: z.number().positive().max(1e12),
  global: scope,
});
const adaptive = z.strictObject({
  kind: z.literal('adaptive'),
  base: z.discriminatedUnion('kind', [fixedWindow, slidingWindow, tokenBucket]),
  /** Share of the base that stays open however bad things are. */
  floor: share.default(0.1),
});

export const ruleSchema = z
  .discriminatedUnion('kind', [fixedWindow, slidingWindow, tokenBucket, adaptive])
  .superRefine((rule, ctx) => {
    const base = rule.kind === 'adaptive' ? rule.base : rule;
    if (base.global === undefined || windowOf(base) >= 1_000) return;
    const bucket = base.kind === 'token-bucket';
    ctx.addIssue({
      code: 'custom',
      path: [bucket ? 'refillPerSecond' : 'window'],
      message: bucket
        ? 'a global bucket takes at least 1 s to fill, so refillPerSecond is at most its capacity'
        : 'a global limit has a window of at least 1 s',
    });
  });

/** What a caller writes: durations as `'1m'` or milliseconds. */
export type RuleInput = z.input<typeof ruleSchema>;
/** Durations in milliseconds. */
export type Rule = z.output<typeof ruleSchema>;
export type BaseRule = Exclude<Rule, { kind: 'adaptive' }>;

/** @throws InvalidInputError naming the option. */
export function parseRule(input: unknown, name = 'rule'): Rule {
  const parsed = ruleSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = [name, ...(issue?.path ?? [])].join('.');
  throw new InvalidInputError(`${path}: ${issue?.message ?? 'is no rate limit'}`, {
    hint: "For example { kind: 'sliding-window', limit: 100, window: '1m' }.",
    details: { option: path },
  });
}

export function baseOf(rule: Rule): BaseRule {
  return rule.kind === 'adaptive' ? rule.base : rule;
}

/** The limit that is shown: a bucket's is its capacity. In units of cost. */
export function limitOf(rule: BaseRule): number {
  return rule.kind === 'token-bucket' ? rule.capacity : rule.limit;
}

/** The time over which the limit counts, in milliseconds; a bucket's is the time of a whole refill. */
export function windowOf(rule: BaseRule): number {
  return rule.kind === 'token-bucket' ? (rule.capacity / rule.refillPerSecond) * 1_000 : rule.window;
}
