import type { ClientBase } from 'pg';

/** A pool, or a connection in a transaction. */
export type Database = Pick<ClientBase, 'query'>;
