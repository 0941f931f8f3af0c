/** Something that the reader can mend: `message` says what is wrong, `hint` how to go on (may be several lines). */
export class BootstrapFailure extends Error {
  constructor(message, { hint, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'BootstrapFailure';
    this.hint = hint;
  }
}

/** A one-line description of anything that was thrown. */
export function messageOf(thrown) {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Prints an error for a reader: what happened and what to do; a stack only for what nobody foresaw. */
export function explain(error) {
  if (error?.name === 'AbortError') return console.error('\nInterrupted.');
  if (error instanceof BootstrapFailure) {
    return console.error(['', error.message, ...(error.hint === undefined ? [] : [error.hint])].join('\n'));
  }
  console.error(error?.name === 'CommandFailure' ? `\n${error.message}` : error);
}
