import type { Pool } from 'pg';
import { messageOf } from '../../errors';
import { withTimeLimit } from '../../time-limit';
import { type AbortCondition, callProvider, type RunContext, runActivity } from '../experiment';
import { largestValue } from './metric-page.pure';

/** One look at a condition must not take the second in which the next one is due; time in which this process stands still is not counted. */
const LOOK_LIMIT_MS = 900;

/**
 * Why the experiment has to stop, or undefined. A condition that cannot be looked at is one that holds: an experiment whose
 * effect nobody sees does not go on.
 */
export async function firstThatHolds(
  conditions: readonly AbortCondition[],
  context: RunContext,
  platform: Pool,
): Promise<string | undefined> {
  const looked = await Promise.all(conditions.map((condition) => look(condition, context, platform)));
  return looked.find((reason) => reason !== undefined);
}

async function look(
  condition: AbortCondition,
  context: RunContext,
  platform: Pool,
): Promise<string | undefined> {
  const bounded = {
    ...context,
    signal: withTimeLimit(context.signal, LOOK_LIMIT_MS),
  };
  // A database that is silent knows of no signal.
  const overdue = new Promise<never>((_, reject) => {
    const late = () => reject(new Error(`no answer within ${LOOK_LIMIT_MS} ms`));
    bounded.signal.addEventListener('abort', late, { once: true });
  });
  try {
    bounded.signal.throwIfAborted();
    return await Promise.race([judge(condition, bounded, platform), overdue]);
  } catch (error) {
    context.signal.throwIfAborted();
    return `the condition (${condition.kind}) could not be looked at: ${messageOf(error)}`;
  }
}

async function judge(
  condition: AbortCondition,
  context: RunContext,
  platform: Pool,
): Promise<string | undefined> {
  switch (condition.kind) {
    case 'probe': {
      const { probe } = condition;
      if (probe.provider.type === 'python') return `${probe.name} cannot be run`;
      const run = await runActivity({ ...probe, provider: probe.provider }, context);
      if (run.tolerance_met === true) return undefined;
      return `${probe.name} is not within its tolerance${run.exception === undefined ? '' : `: ${run.exception[0]}`}`;
    }
    case 'metric':
      return await lookAtMetric(condition, context);
    case 'degradation-level': {
      const { rows } = await platform.query<{ scope: string; level: string }>(
        'select scope, level from chronawflow.degradation_level where rank >= $1 order by rank desc limit 1',
        [condition.atLeast],
      );
      return rows[0] === undefined ? undefined : `${rows[0].scope} is at level ${rows[0].level}`;
    }
  }
}

async function lookAtMetric(
  { url, metric, labels, above, below }: Extract<AbortCondition, { readonly kind: 'metric' }>,
  context: RunContext,
): Promise<string | undefined> {
  const answer = await callProvider({ type: 'http', url }, context.values, context);
  const body: unknown =
    typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'body') : undefined;
  const value = typeof body === 'string' ? largestValue(body, metric, labels) : undefined;
  if (value === undefined) return `${metric} is not on ${url}`;
  if (above !== undefined && value > above) return `${metric} is ${value}, above ${above}`;
  return below !== undefined && value < below ? `${metric} is ${value}, below ${below}` : undefined;
}
