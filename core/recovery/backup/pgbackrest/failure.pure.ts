/**
 * What a failure of pgBackRest means. Exit codes are its error codes.
 * Source: pgBackRest 2.45, src/build/error/error.yaml, and the messages seen with damaged repositories.
 */
export type Failure =
  | { readonly kind: 'damaged'; readonly files: readonly string[]; readonly reason: string }
  | { readonly kind: 'cannot-write'; readonly reason: string }
  | { readonly kind: 'other'; readonly reason: string };

const CHECKSUM = 26;
const FORMAT = 29;
const FILE_READ = 42;
const FILE_MISSING = 55;
const FILE_WRITE = 64;
const CRYPTO = 95;

const DAMAGE = new Set<number | string>([CHECKSUM, FORMAT, FILE_MISSING, CRYPTO]);
const DAMAGE_TEXT =
  /\[(Checksum|Format|Crypto|FileMissing)Error\]|does not match expected checksum|zst error|unable to flush/i;

/** A file on its way from the repository that is missing in this host's own spool says nothing of the repository. */
const MISSING_HERE = /unable to move missing source '[^']+\.pgbackrest\.tmp'/;

export function classifyFailure(exit: number | string, output: string): Failure {
  const reason = withoutSecrets(errorText(output));
  if (exit === FILE_WRITE || /No space left on device|\[28\]/.test(output))
    return { kind: 'cannot-write', reason };
  if (MISSING_HERE.test(reason)) return { kind: 'other', reason };
  const damaged = DAMAGE.has(exit) || (exit === FILE_READ && DAMAGE_TEXT.test(output));
  return damaged || /error restoring '/.test(output)
    ? { kind: 'damaged', files: filesIn(reason), reason }
    : { kind: 'other', reason };
}

/** The error and its continuation lines, without times, process numbers and retries. */
export function errorText(output: string): string {
  const lines = output.split('\n');
  const first = lines.findIndex((line) => /\bERROR: \[\d+\]/.test(line));
  const relevant = first < 0 ? lines.slice(-5) : lines.slice(first, first + 12);
  return relevant
    .map((line) => line.replace(/^.*?ERROR: (\[\d+\]: )?/, '').trim())
    .filter(
      (line) => line !== '' && !/on retry (after|at)/.test(line) && !/^\d{4}-\d\d-\d\d .*INFO: /.test(line),
    )
    .join('; ');
}

/** pgBackRest redacts its own options; this is for values that come another way, such as a message of the storage. */
export function withoutSecrets(text: string): string {
  return text.replaceAll(
    /((?:cipher-pass|key-secret|[a-z0-9-]*-key|token|password|pass)["']?\s*[=:]\s*["']?)(?!<redacted>)[^\s"',;]+/gi,
    '$1<redacted>',
  );
}

function filesIn(reason: string): string[] {
  const quoted = [...reason.matchAll(/'(\/[^']+)'/g)].map((match) => match[1]);
  const segments = [...reason.matchAll(/\b[0-9]+-\d+\/[0-9A-F]{16}\/([0-9A-F]{24}[^\s]*)/g)].map(
    (match) => match[1],
  );
  return [...new Set([...quoted, ...segments])].filter((file) => file !== undefined);
}
