/**
 * A process whose last statement is older than this at a slot's begin may be deciding by its own share in that slot.
 * The database and the process apply the same rule to the same time, the database's, so they agree without talking.
 */
export const SILENCE_MS = 2_000;

/** Several heartbeats fit into the silence, so that one lost statement does not cost a process its place. */
export const HEARTBEAT_MS = 800;

/** A silent process's share is kept free for so long; then it counts as dead and its row is removed. */
export const MEMBER_TTL_MS = 30_000;

/** Statements a second on one key, over all processes, from which on they slow down; the promise is 10. */
export const STATEMENTS_PER_SECOND = 8;

/** Most of what is left of the next slot that one statement may take ahead: the others ask within the same moment. */
export const AHEAD_SHARE = 0.9;

/**
 * Share of a process's own share that it may admit between losing the database and being sure that the others keep its share
 * free. Over all processes it is the only part that can come on top of the limit.
 */
export const BRIDGE_SHARE = 0.02;
