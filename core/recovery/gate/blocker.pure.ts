/** Who holds a lock that a step of the gate needs. Never carries a query's text: it holds the tenants' values. */
export type Blocker =
  | {
      readonly kind: 'session';
      readonly pid: number;
      readonly applicationName: string;
      readonly user: string;
      /** `client backend`, `autovacuum worker`, … */
      readonly backendType: string;
      /** `active`, `idle in transaction`, … */
      readonly state: string;
      /** Start of its transaction and of its latest query. */
      readonly since: string;
      readonly queryStart: string;
      readonly transactionMs: number;
      readonly idleMs: number;
      readonly tables: readonly string[];
    }
  | {
      readonly kind: 'prepared';
      readonly gid: string;
      readonly user: string;
      readonly since: string;
      readonly tables: readonly string[];
    };

/** One line for an error message. */
export function describeBlocker(blocker: Blocker): string {
  const on = `locks ${blocker.tables.join(', ')}`;
  if (blocker.kind === 'prepared') {
    return `prepared transaction ${blocker.gid} of ${blocker.user} since ${blocker.since} ${on}`;
  }
  const name = blocker.applicationName === '' ? blocker.backendType : blocker.applicationName;
  return (
    `pid ${blocker.pid} (${name}, user ${blocker.user || 'none'}, ${blocker.state || blocker.backendType}, ` +
    `transaction since ${blocker.since}, query since ${blocker.queryStart}) ${on}`
  );
}

export type Approach =
  /** Take a place in the lock queue: whoever is in the way may be gone soon. */
  | { readonly kind: 'queue' }
  /** Stay out of the queue: it would hold up everybody behind us for a lock that will not come. */
  | { readonly kind: 'wait' }
  /** Ask the server to end its own clean-up of this table, which it does for a waiter of long enough. */
  | { readonly kind: 'interrupt-autovacuum'; readonly table: string };

/**
 * What one try should do, seen who is in the way. A transaction that nobody works in (prepared, or idle for longer than
 * the try could last) will hardly end within the try; a busy one may.
 */
export function chooseApproach(blockers: readonly Blocker[], budgetMs: number): Approach {
  let approach: Approach = { kind: 'queue' };
  for (const blocker of blockers) {
    if (blocker.kind === 'prepared' || blocker.idleMs > budgetMs) return { kind: 'wait' };
    const [table] = blocker.tables;
    if (blocker.backendType === 'autovacuum worker' && table !== undefined) {
      approach = { kind: 'interrupt-autovacuum', table };
    }
  }
  return approach;
}
