import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Codes that recovery raises: of its error classes, and of what workflows and approvals refuse. */
function raised(): string[] {
  const files = ['core/recovery', 'core/cluster', 'core/local-stack', 'core/errors'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('-error.ts'))
      .map((file) => join(folder, file)),
  );
  const classes = files.flatMap((file) => /\bcode = '([A-Z_]+)'/.exec(read(file))?.[1] ?? []);
  const refusals = [
    'workflows/decide-and-merge.ts',
    'workflows/failures.ts',
    'core/recovery/approval.pure.ts',
  ]
    .flatMap((file) => [...read(file).matchAll(/'([A-Z]+(?:_[A-Z]+)+)'/g)])
    .map(([, code = '']) => code)
    // Temporal's own name of a timeout.
    .filter((code) => code !== 'SCHEDULE_TO_START');
  return [...new Set([...classes, ...refusals])].sort();
}

test('every error code of recovery is documented, with its exit code', () => {
  const page = read('docs/operations/error-codes.md');
  expect(raised().length).toBeGreaterThan(45);
  expect(raised().filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});

test('the documented exit codes are those of the classes', () => {
  const page = read('docs/operations/error-codes.md');
  const exits = { usage: '2', failed: '1', refused: '3' };
  const wrong = readdirSync(join(root, 'core/recovery/errors'))
    .map((file) => read(join('core/recovery/errors', file)))
    .flatMap((source) => {
      const code = /\bcode = '([A-Z_]+)'/.exec(source)?.[1] ?? '';
      const kind = /\bkind = '(usage|failed|refused)'/.exec(source)?.[1] ?? 'failed';
      const exit = kind === 'usage' || kind === 'refused' ? exits[kind] : exits.failed;
      const line = page.split('\n').find((one) => one.startsWith('|') && one.includes(`\`${code}\``)) ?? '';
      return line.split('|')[2]?.trim() === exit ? [] : [`${code} exits with ${exit}: ${line}`];
    });
  expect(wrong).toEqual([]);
});
