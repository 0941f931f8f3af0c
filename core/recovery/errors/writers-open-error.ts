import { ChronawflowError } from '../../errors';

/** Other sessions kept transactions open that wrote to a table with deferrable constraints; the merge was rolled back. */
export class WritersOpenError extends ChronawflowError {
  readonly code = 'WRITERS_OPEN';
  override readonly retryable = true;

  constructor(
    table: string,
    writers: readonly { readonly transaction: string; readonly pid: number | null }[],
  ) {
    const names = writers.map(({ pid, transaction }) =>
      pid === null ? `a prepared transaction (${transaction})` : `session ${pid}`,
    );
    super(
      `${table} has deferrable constraints, and these have written to it without ending: ${names.join(', ')}.`,
      {
        hint: 'The merge tries again. End the sessions, or commit or roll back the prepared transactions, if they stay.',
        details: { table, pids: writers.flatMap(({ pid }) => (pid === null ? [] : [pid])) },
      },
    );
  }
}
