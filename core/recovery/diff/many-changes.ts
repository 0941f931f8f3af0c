/** Above this many changes a nested loop over them is never the right plan, whatever stale statistics say. */
export const MANY_CHANGES = 20_000;
