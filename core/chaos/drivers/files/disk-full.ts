import { open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { hasCode, whenMissing } from '../../../errors';
import { TargetNotAllowedError } from '../../errors';
import { defineDriver } from '../define-driver';
import type { AnyDriver, TargetOf } from '../driver';

type Nothing = Record<never, never>;
const CHUNK = Buffer.alloc(1_048_576, 1);

function fill(target: TargetOf<'scratch-disk'>, leaseId: string): string {
  return join(target.path, `chaos-${leaseId}.fill`);
}

/** A file system of its own, or filling it would fill the host's. */
async function ownFileSystem(path: string): Promise<void> {
  const [here, above] = await Promise.all([stat(path), stat(dirname(resolve(path)))]);
  if (here.dev === above.dev)
    throw new TargetNotAllowedError(
      path,
      'it is no mount point; only a file system of its own may be filled.',
    );
}

/** The blocks are really written: a sparse file takes no room. */
export const diskFull: AnyDriver = defineDriver<'scratch-disk', { readonly leaveBytes: number }, Nothing>({
  name: 'disk.full',
  targetKind: 'scratch-disk',
  summary: 'a file system has no room, but `leaveBytes`',
  parameters: z.strictObject({ leaveBytes: z.number().int().min(0).default(0) }),
  saved: z.strictObject({}),
  afterPowerLoss: 'stays',
  boundedBy: 'the reaper',
  prepare: async ({ target }) => {
    await ownFileSystem(target.path);
    return {};
  },
  inject: async ({ target, leaseId, parameters: { leaveBytes }, signal }) => {
    await ownFileSystem(target.path);
    const file = await open(fill(target, leaseId), 'wx', 0o600);
    try {
      for (;;) {
        signal.throwIfAborted();
        const { bavail, bsize } = await statfs(target.path);
        const room = bavail * bsize - leaveBytes;
        if (room <= 0) return;
        await file.write(CHUNK, 0, Math.min(CHUNK.length, room));
      }
    } catch (error) {
      if (!hasCode(error, 'ENOSPC')) throw error;
    } finally {
      await file.close();
    }
  },
  remove: async ({ target, leaseId }) => {
    await rm(fill(target, leaseId), { force: true });
  },
  isThere: async ({ target, leaseId }) => {
    const names = await readdir(target.path).catch(whenMissing<string[]>([]));
    return names.includes(`chaos-${leaseId}.fill`);
  },
});
