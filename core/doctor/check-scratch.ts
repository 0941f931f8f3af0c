import { mkdtemp, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { makeServerDirectory, runProgram } from '../cluster';
import { broken, type Check, type Finding, ok } from './finding';

/** WAL to replay, temporary files and the restore's own overhead on top of the cluster's size. */
const HEADROOM = 1.2;

export function checkScratch(directory: string, application: Pool): Check {
  const fix = 'Name another directory in application.backup.scratchDirectory.';
  return {
    name: 'scratch directory',
    fallbackFix: fix,
    look: async () => {
      const absent = await stat(directory).then(
        () => false,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return true;
          throw error;
        },
      );
      await makeServerDirectory(directory);
      const probe = await mkdtemp(join(directory, 'doctor-'));
      try {
        await makeServerDirectory(probe);
        await runProgram('touch', [join(probe, 'written')], { asServerUser: true, timeoutMs: 10_000 });
        const { bavail, bsize } = await statfs(probe);
        return [judgeSpace(directory, bavail * bsize, await clusterBytes(application))];
      } finally {
        await rm(probe, { recursive: true, force: true });
        if (absent) await rmdir(directory);
      }
    },
  };
}

async function clusterBytes(application: Pool): Promise<number> {
  const { rows } = await application.query<{ bytes: number }>(
    'select sum(pg_database_size(oid))::float8 as bytes from pg_database where datallowconn',
  );
  return rows[0]?.bytes ?? 0;
}

export function judgeSpace(directory: string, free: number, cluster: number): Finding {
  const needed = cluster * HEADROOM;
  return free >= needed
    ? ok('scratch directory', `${directory}, ${gigabytes(free)} free, about ${gigabytes(needed)} needed`)
    : broken(
        'scratch directory',
        `${directory} has ${gigabytes(free)} free, a restore of the cluster needs about ${gigabytes(needed)}`,
        'Free space there, or name another directory in application.backup.scratchDirectory.',
      );
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
