import type { ClientBase } from 'pg';
import type { BreakerKey } from '../breaker';
import { closeWithoutQuorum, openByQuorum, type QuorumRules } from './decide';
import { endLapsedIsolations } from './leased-isolation';
import { readStates } from './read-states';
import { keyText, type SharedState, type Vote } from './shared-state';
import { announce, castVotes, withdrawVotes } from './votes';

/** What one process brings to a round. */
export interface Findings {
  readonly votes: readonly Vote[];
  /** Keys it voted for before and no longer does. */
  readonly withdrawn: readonly BreakerKey[];
  /** Keys that are open for everybody, and that it has found to work. */
  readonly recovered: readonly BreakerKey[];
  /** Keys of which it was told something that is in force. */
  readonly told: readonly BreakerKey[];
}

/**
 * One round of a process, in one transaction: it is there, this is what it has found, this is what follows. A round that
 * is lost is made up for by the next one, which tells everything again.
 *
 * @returns what holds for everybody after it
 */
export async function exchange(
  db: ClientBase,
  rules: QuorumRules,
  { votes, withdrawn, recovered, told }: Findings,
): Promise<readonly SharedState[]> {
  await announce(db, rules.observer);
  await endLapsedIsolations(db);
  if (withdrawn.length > 0) await withdrawVotes(db, rules.observer, withdrawn);
  if (votes.length > 0) await castVotes(db, rules.observer, votes);
  const voted = votes.map(({ key }) => key);
  const read = () => readStates(db, [...voted, ...told], rules.leaseMs);
  const states = await read();
  const generations = new Map(states.map(({ key, generation }) => [keyText(key), generation]));
  const decisionsOn = (about: readonly BreakerKey[]) =>
    about.map((key) => ({ key, generation: generations.get(keyText(key)) ?? 0 }));
  const opened = voted.length === 0 ? 0 : await openByQuorum(db, rules, decisionsOn(voted));
  const closed = recovered.length === 0 ? 0 : await closeWithoutQuorum(db, rules, decisionsOn(recovered));
  return opened + closed === 0 ? states : read();
}
