/**
 * Longest that one try may hold up others: the asked lock timeout, but well under the server's deadlock_timeout. A client
 * that meets the try in a lock cycle begins to wait after the try began, so the try has given up before that client's
 * deadlock check runs: the freeze loses, never the application.
 */
export function tryBudgetMs(lockTimeoutMs: number, deadlockTimeoutMs: number): number {
  return Math.max(1, Math.floor(Math.min(lockTimeoutMs, deadlockTimeoutMs * 0.8)));
}

/**
 * Pause after the given failed try (1, 2, …): exponential from a tenth of the budget up to four times the budget, with
 * equal jitter, so that the writers that queued behind the try get through before the next one.
 *
 * @param random in [0, 1)
 */
export function backoffMs(attempt: number, budgetMs: number, random: number): number {
  const ceiling = Math.min(budgetMs * 4, (budgetMs / 10) * 2 ** Math.min(attempt, 30));
  return Math.ceil(ceiling / 2 + (ceiling / 2) * random);
}

/** Puts the tables that were in the way first: waiting for them then holds no other table's lock. */
export function busiestFirst<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  busy: ReadonlySet<string>,
): T[] {
  return [
    ...items.filter((item) => busy.has(nameOf(item))),
    ...items.filter((item) => !busy.has(nameOf(item))),
  ];
}
