import type { z } from 'zod';
import { rateRule } from '../../config';
import { InvalidInputError } from '../errors';

/** What a caller writes: durations as `'1m'` or milliseconds. */
export type RuleInput = z.input<typeof rateRule>;
/** Durations in milliseconds. */
export type Rule = z.output<typeof rateRule>;
export type BaseRule = Exclude<Rule, { kind: 'adaptive' }>;

/** @throws InvalidInputError naming the option. */
export function parseRule(input: unknown, name = 'rule'): Rule {
  const parsed = rateRule.safeParse(input);
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
