import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { withProcessLock } from '../../core/cluster';
import { hasCode } from '../../core/errors';

/** Takes a lock again and again until it is killed. Whoever finds another one inside, who lives, says so. */
async function main(): Promise<void> {
  const [directory = '', inside = ''] = process.argv.slice(2);
  for (;;) {
    await withProcessLock(directory, async () => {
      const other = readOrNothing(inside);
      if (other !== '' && isAlive(Number(other))) console.log(`overlap with ${other}`);
      writeFileSync(inside, String(process.pid));
      await sleep(2);
      if (readOrNothing(inside) !== String(process.pid)) console.log('somebody else came in');
      rmSync(inside, { force: true });
      console.log('in');
    });
  }
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}

/** One that was killed inside is no longer there, or only as the entry that its parent has not read yet. */
function isAlive(pid: number): boolean {
  return (
    readOrNothing(`/proc/${pid}/stat`).match(/\) [ZX] /) === null && readOrNothing(`/proc/${pid}/stat`) !== ''
  );
}

void main();
