/**
 * For a transaction whose locks others wait for, and which a later commit makes durable along with itself: WAL is flushed, and
 * sent to a synchronous standby, in order. Its commit then holds the locks for no disk and no network. After a crash in
 * between, an unfinished freeze's lease has run out, or a gate that is open has its triggers swept.
 */
export const SET_FLUSHED_LATER = 'set local synchronous_commit = off';
