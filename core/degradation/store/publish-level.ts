import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { type AskedBy, recordAuditEvent } from '../../audit';
import { LevelTooEarlyError } from '../errors/level-too-early-error';
import type { Standing } from '../justify.pure';
import type { LevelState, Policy, Transition } from '../types';
import { budgetFreeInMs, stepsBack } from '../way-back.pure';
import { CHANNEL } from './read-levels';
import { readStanding } from './read-standing';

export interface Publication extends AskedBy {
  readonly scope: string;
  /** Of `state.rank`. */
  readonly level: string;
  readonly state: LevelState;
  readonly transition: Transition;
}

/**
 * Whether a change of what stands is allowed, decided in the change's own transaction.
 *
 * @returns who makes it, for the audit log
 */
export type AuthorizeLevel = (tx: ClientBase, standing: Standing) => Promise<string>;

/**
 * Makes a transition true for everybody: the level, its event in the audit log and the notification commit together. One that
 * comes after a later version changes nothing, and needs nobody's leave. Several at once come one after the other, so that together
 * they keep within the budget, too.
 *
 * @param authorize Default: everybody may.
 * @throws LevelTooEarlyError while the scope's budget of steps towards normal is spent
 * @returns whether this call changed the level: false for a repetition and for one that comes too late.
 */
export async function publishLevel(
  platform: Pool,
  policy: Policy,
  { scope, level, state, transition, request, run }: Publication,
  authorize?: AuthorizeLevel,
): Promise<boolean> {
  return inTransaction(platform, async (tx) => {
    const standing = await readStanding(tx, scope);
    if (transition.version <= standing.version) return false;
    const actor = (await authorize?.(tx, standing)) ?? transition.by;
    const steps = stepsBack(policy, standing, state);
    const inMs = budgetFreeInMs(policy, standing.recoveredAt, steps, standing.now);
    if (inMs > 0) throw new LevelTooEarlyError(scope, inMs);
    const { rowCount } = await tx.query(
      `insert into chronawflow.degradation_level as l (scope, version, level, rank, reason, manual, read_only)
       values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (scope) do update set version = excluded.version, level = excluded.level, rank = excluded.rank,
         reason = excluded.reason, manual = excluded.manual, read_only = excluded.read_only,
         recovered_at = array(select at from unnest(l.recovered_at) at where at > clock_timestamp() - interval '1 hour')
           || array_fill(clock_timestamp(), array[$8::int]),
         since = case when l.rank = excluded.rank then l.since else clock_timestamp() end
       where l.version < excluded.version`,
      [
        scope,
        transition.version,
        level,
        state.rank,
        transition.reason,
        state.override === undefined ? null : JSON.stringify(state.override),
        state.readOnly === undefined ? null : JSON.stringify(state.readOnly),
        steps,
      ],
    );
    if (rowCount === 0) return false;
    const { version, direction, from, to, reason } = transition;
    await recordAuditEvent(tx, {
      id: `degradation/${scope}/${version}`,
      actor,
      action: `degradation.${direction}`,
      object: scope,
      outcome: 'ok',
      reason,
      request,
      run,
      details: { version, level, from, to },
    });
    await tx.query('select pg_notify($1, $2)', [CHANNEL, scope]);
    return true;
  });
}

/** Tells once more of a level that some process has not applied: a notification may have been lost. */
export async function remind(platform: Pool, scope: string): Promise<void> {
  await platform.query('select pg_notify($1, $2)', [CHANNEL, scope]);
}
