import type { Pool } from 'pg';
import { DegradationStore, INITIAL_STATE, type LevelState } from '../../core/degradation';
import { change } from '../../core/degradation/change.pure';
import { override } from '../../core/degradation/override.pure';
import { applyMigrations } from '../../database';
import { BOOKS, policyWith } from '../support/degradation-policy';
import { type RealPostgres, startPostgres } from '../support/real-postgres';

/** core/degradation/README.md, invariant 2: the budget of steps back holds where changes are published. */

const policy = policyWith({ ...BOOKS, recoveriesPerHour: 2 });

let postgres: RealPostgres;
let platform: Pool;
let store: DegradationStore;

beforeAll(async () => {
  postgres = await startPostgres();
  platform = await postgres.createDatabase('platform');
  await applyMigrations(platform, 'platform');
  store = new DegradationStore(platform);
}, 240_000);
afterAll(() => postgres?.stop());

/** A scope at its hardest level, as version 1. */
async function atCoreOnly(scope: string): Promise<LevelState> {
  const { state, transition } = change(INITIAL_STATE, { to: 3, direction: 'escalation', reason: 'test' });
  await store.look(scope, policy, { state, readings: {} });
  await store.publish(policy, { scope, level: 'core-only', state, transition, request: undefined });
  return state;
}

function publish(scope: string, before: LevelState, to: number, version: number): Promise<boolean> {
  const direction = to < before.rank ? 'recovery' : 'escalation';
  const decided = change({ ...before, version: version - 1 }, { to, direction, reason: 'test' });
  const level = policy.levels[to]?.name ?? '';
  return store.publish(policy, { scope, level, ...decided, request: undefined });
}

const rankOf = async (scope: string) =>
  (await store.assessed()).find((level) => level.scope === scope)?.rank ?? Number.NaN;

test('two changes at once keep within the budget together', async () => {
  const hardest = await atCoreOnly('both');
  expect(await publish('both', hardest, 2, 2)).toBe(true);
  // By two controllers, each of which has one step left.
  const ends = await Promise.allSettled([
    publish('both', { ...hardest, rank: 2 }, 1, 3),
    publish('both', { ...hardest, rank: 1 }, 0, 4),
  ]);
  // Whichever comes first: the second one would be the third step, or two at once.
  expect(ends).toMatchObject([
    { status: 'fulfilled', value: true },
    { status: 'rejected', reason: { code: 'LEVEL_TOO_EARLY', retryable: true } },
  ]);
  expect(await rankOf('both')).toBe(1);
  // An hour after the first step, by the database's clock.
  await platform.query(
    `update chronawflow.degradation_level set recovered_at[1] = recovered_at[1] - interval '1 hour' where scope = 'both'`,
  );
  expect(await publish('both', { ...hardest, rank: 1 }, 0, 4)).toBe(true);
});

test('a controller that takes over knows of a step that was published after the last sign of the one before', async () => {
  const hardest = await atCoreOnly('successor');
  await publish('successor', hardest, 2, 2);
  await publish('successor', { ...hardest, rank: 2 }, 1, 3);
  const { recoveries } = await store.takeUp('successor', INITIAL_STATE);
  expect(recoveries).toHaveLength(2);
});

test('neither a spent budget nor a level by hand keeps an escalation back, and a level by hand is no step', async () => {
  const hardest = await atCoreOnly('spent');
  await publish('spent', hardest, 2, 2);
  await publish('spent', { ...hardest, rank: 2 }, 1, 3);
  await expect(publish('spent', { ...hardest, rank: 1 }, 0, 4)).rejects.toMatchObject({
    code: 'LEVEL_TOO_EARLY',
  });
  expect(await publish('spent', { ...hardest, rank: 1 }, 3, 4)).toBe(true);
  const until = Date.now() + 3_600_000;
  const { state, transition } = override(
    { ...hardest, version: 4 },
    { rank: 0, by: 'ada', reason: 'the probe lies', until },
  );
  if (transition === undefined) throw new Error('it changes nothing');
  const byHand = { scope: 'spent', level: 'normal', state, transition, request: undefined };
  expect(await store.publish(policy, byHand)).toBe(true);
  expect(await rankOf('spent')).toBe(0);
});
