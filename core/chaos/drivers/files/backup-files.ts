import { createHash } from 'node:crypto';
import { open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { whenMissing } from '../../../errors';
import { TargetNotAllowedError } from '../../errors';
import { flushDirectory } from '../../lease';
import { defineDriver } from '../define-driver';
import type { AnyDriver, TargetOf } from '../driver';

type Repository = TargetOf<'backup-repository'>;

const chosen = z.strictObject({
  /** Below the repository. */
  file: z.string().min(1),
});
type Chosen = z.output<typeof chosen>;

const flipped = z.strictObject({
  offset: z.number().int().min(0),
  byte: z.number().int().min(0).max(255),
});
type Flipped = z.output<typeof flipped>;

function place({ path }: Repository, file: string): string {
  const full = resolve(path, file);
  if (relative(path, full).split(sep)[0] === '..' || full === resolve(path))
    throw new TargetNotAllowedError(file, 'it is not below the repository.');
  return full;
}

async function byteAt(path: string, offset: number): Promise<number | undefined> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, offset);
    return bytesRead === 1 ? buffer[0] : undefined;
  } finally {
    await file.close();
  }
}

async function writeByte(path: string, offset: number, byte: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.write(Buffer.of(byte), 0, 1, offset);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** One bit of a file is another one, in its middle, where no header is. */
export const backupFlipped: AnyDriver = defineDriver<'backup-repository', Chosen, Flipped>({
  name: 'backup.flipped',
  targetKind: 'backup-repository',
  summary: 'one bit of a file in a test repository is flipped',
  parameters: chosen,
  saved: flipped,
  afterPowerLoss: 'stays',
  boundedBy: 'the reaper',
  prepare: async ({ target, parameters }) => {
    const path = place(target, parameters.file);
    const { size } = await stat(path);
    const offset = Math.floor(size / 2);
    const byte = await byteAt(path, offset);
    if (byte === undefined) throw new Error(`${parameters.file} is empty`);
    return { offset, byte };
  },
  inject: async ({ target, parameters, saved }) =>
    writeByte(place(target, parameters.file), saved.offset, saved.byte ^ 1),
  remove: async ({ target, parameters, saved }) => {
    if (saved === undefined) throw new Error('which byte it was is known only to the journal of this host');
    await writeByte(place(target, parameters.file), saved.offset, saved.byte);
  },
  isThere: async ({ target, parameters, saved }) =>
    saved === undefined || (await byteAt(place(target, parameters.file), saved.offset)) !== saved.byte,
});

const digest = z.strictObject({ sha256: z.string() });
type Digest = z.output<typeof digest>;

/** Moved aside within its directory, so that bringing it back is one rename. */
export const backupLost: AnyDriver = defineDriver<'backup-repository', Chosen, Digest>({
  name: 'backup.lost',
  targetKind: 'backup-repository',
  summary: 'a file of a test repository is missing',
  parameters: chosen,
  saved: digest,
  afterPowerLoss: 'stays',
  boundedBy: 'the reaper',
  prepare: async ({ target, parameters }) => ({
    sha256: createHash('sha256')
      .update(await readFile(place(target, parameters.file)))
      .digest('hex'),
  }),
  inject: async ({ leaseId, target, parameters }) => {
    const path = place(target, parameters.file);
    await rename(path, aside(path, leaseId));
    await flushDirectory(dirname(path));
  },
  remove: async ({ leaseId, target, parameters }) => {
    const path = place(target, parameters.file);
    await rename(aside(path, leaseId), path).catch(whenMissing(undefined));
    await flushDirectory(dirname(path));
  },
  isThere: async ({ leaseId, target, parameters }) => {
    const path = place(target, parameters.file);
    const names = await readdir(dirname(path)).catch(whenMissing<string[]>([]));
    return names.some((name) => join(dirname(path), name) === aside(path, leaseId));
  },
});

function aside(path: string, leaseId: string): string {
  return `${path}.chaos-${leaseId}`;
}
