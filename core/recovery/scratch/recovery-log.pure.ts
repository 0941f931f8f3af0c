import { classifyFailure } from '../backup/pgbackrest/failure.pure';

export type RecoveryProblem =
  | { readonly kind: 'not-reached'; readonly lines: readonly string[] }
  | { readonly kind: 'damaged'; readonly files: readonly string[]; readonly reason: string }
  | { readonly kind: 'archive-failed'; readonly reason: string }
  | { readonly kind: 'disk-full'; readonly lines: readonly string[] }
  | { readonly kind: 'settings'; readonly lines: readonly string[] };

/** What the log of a server in recovery says. */
export interface RecoveryLog {
  /** The server's own words, such as "recovery stopping before commit of transaction 12345, time …". */
  readonly stoppedBecause?: string;
  readonly problem?: RecoveryProblem;
  /** Names of the segments fetched so far, in order. */
  readonly fetched: readonly string[];
}

// Wording: PostgreSQL 15, access/transam/xlogrecovery.c and xlog.c.
const STOPPING = /LOG: {2}(recovery stopping (?:before|after|at) .*)$/m;
const NOT_REACHED =
  /recovery ended before configured recovery target was reached|could not locate required checkpoint record|requested recovery stop point is before consistent recovery point/;
const SETTINGS =
  /insufficient parameter settings|is a lower setting than on the primary|resource manager with ID|could not access file|must be preloaded|invalid value for parameter|unrecognized configuration parameter/;
const FETCHED = /LOG: {2}restored log file "([0-9A-F]{24})" from archive/g;

/** @param text the log since the server was started, in the C locale. */
export function readRecoveryLog(text: string): RecoveryLog {
  const stoppedBecause = STOPPING.exec(text)?.[1];
  const fetched = [...text.matchAll(FETCHED)].map((match) => match[1] ?? '');
  const problem = stoppedBecause === undefined ? problemIn(text) : undefined;
  return { fetched, ...(stoppedBecause && { stoppedBecause }), ...(problem && { problem }) };
}

/** The most specific one: a full disk and a damaged archive both end in "target not reached". */
function problemIn(text: string): RecoveryProblem | undefined {
  const lines = text.split('\n');
  const matching = (pattern: RegExp): string[] => lines.filter((line) => pattern.test(line)).map(message);
  const full = matching(/No space left on device/);
  if (full.length > 0) return { kind: 'disk-full', lines: full.slice(0, 3) };
  const archive = archiveProblem(text);
  if (archive?.kind === 'damaged') return archive;
  const settings = matching(SETTINGS);
  if (settings.length > 0) return { kind: 'settings', lines: settings.slice(0, 5) };
  const notReached = matching(NOT_REACHED);
  if (notReached.length === 0) return undefined;
  return archive ?? { kind: 'not-reached', lines: [...before(lines, NOT_REACHED), ...notReached].slice(-4) };
}

/** The restore_command's own messages land in the same log. */
function archiveProblem(text: string): RecoveryProblem | undefined {
  if (!/^ERROR: \[\d+\]|P00 +ERROR: \[\d+\]/m.test(text)) return undefined;
  const code = Number(/ERROR: \[(\d+)\]/.exec(text)?.[1]);
  const failure = classifyFailure(code, text);
  return failure.kind === 'damaged'
    ? { kind: 'damaged', files: failure.files, reason: failure.reason }
    : { kind: 'archive-failed', reason: failure.reason };
}

/** What the server said just before it gave up: the reason why the WAL ended there. */
function before(lines: readonly string[], pattern: RegExp): string[] {
  const at = lines.findIndex((line) => pattern.test(line));
  return lines
    .slice(0, at)
    .filter((line) => /\] (LOG|WARNING|FATAL|PANIC): /.test(line) && !/restored log file/.test(line))
    .slice(-3)
    .map(message);
}

/** Without time and process. */
function message(line: string): string {
  return line.replace(/^\S+ \S+ \S+ \[\d+\] /, '').trim();
}
