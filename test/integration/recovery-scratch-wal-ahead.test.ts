import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecoveryContext } from '../../core/recovery/engine';
import { removeScratch, restoreScratch } from '../../core/recovery/scratch';
import { processesWith } from '../../core/recovery/scratch/leftover-processes';
import { pathsIn } from '../../core/recovery/scratch/scratch-paths.pure';
import type { ResolvedTarget } from '../../core/recovery/types';
import { type NotesApplication, notesIn, quiet, startNotes } from './recovery-fixture';

/** More segments of WAL than are fetched one by one, with a row in each. */
const SEGMENTS = 68;

let notes: NotesApplication;
let ctx: RecoveryContext;
/** Behind all of them. */
let far: ResolvedTarget;

beforeAll(async () => {
  notes = await startNotes();
  ctx = notes.ctx;
  for (let id = 0; id < SEGMENTS; id += 1) {
    await notes.write(id);
    await notes.app.superuser.query('select pg_switch_wal()');
  }
  far = await notes.resolve(await notes.write(SEGMENTS));
}, 240_000);
afterAll(() => notes?.stop());

test('a long replay fetches WAL ahead, and that leaves nothing behind either (scratch 5)', async () => {
  const scratch = await restoreScratch(ctx, 'long', far, quiet);
  const { dataDirectory, spoolDirectory } = pathsIn(scratch.directory);
  expect(await readdir(spoolDirectory, { recursive: true })).not.toEqual([]);
  expect((await notesIn(scratch)).length).toBe(SEGMENTS + 1);
  await removeScratch(ctx, 'long');
  expect(await processesWith(`--pg1-path=${dataDirectory}`)).toEqual([]);
  expect(existsSync(scratch.directory)).toBe(false);
});

// The second one's postmaster stands still for a moment and learns late that the recovery has ended.
test.each([
  ['at once', 'true', ''],
  [
    'when the server is ready, which then takes its time to end',
    `grep -q '^ready' "$data/postmaster.pid"`,
    'kill -STOP "$server"; { sleep 3; kill -CONT "$server"; } >/dev/null 2>&1 &',
  ],
])(
  'where fetching ahead fails %s, the rest is fetched segment by segment (scratch 5)',
  fetchesOneByOne,
  240_000,
);

async function fetchesOneByOne(_when: string, condition: string, before: string): Promise<void> {
  const real = ctx.config.application.backup;
  const binary = join(notes.app.directory, 'pgbackrest-that-trips');
  await writeFile(
    binary,
    [
      '#!/bin/sh',
      'for argument in "$@"; do',
      `  case "$argument" in --pg1-path=*) data="\${argument#--pg1-path=}";; esac`,
      'done',
      `case "$*" in *--archive-async*) if ${condition}; then`,
      '  server="$(head -n 1 "$data/postmaster.pid")"',
      `  ${before}`,
      `  echo "ERROR: [055]: unable to move missing source '/spool/in/0.pgbackrest.tmp': [2] No such file" >&2`,
      '  exit 55',
      'fi;; esac',
      `exec '${real.binary}' "$@"`,
    ].join('\n'),
    { mode: 0o755 },
  );
  const warnings: string[] = [];
  const tripping: RecoveryContext = {
    ...ctx,
    log: { ...ctx.log, warn: (_, message) => void warnings.push(message) },
    config: {
      ...ctx.config,
      application: { ...ctx.config.application, backup: { ...real, binary } },
    },
  };
  const scratch = await restoreScratch(tripping, 'trips', far, quiet);
  expect(await notesIn(scratch)).toContain(SEGMENTS);
  expect(warnings).toEqual([expect.stringContaining('segment by segment')]);
  await removeScratch(ctx, 'trips');
}
