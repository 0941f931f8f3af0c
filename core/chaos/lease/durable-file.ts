import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { whenMissing } from '../../errors';

/** Writes a file so that it is there, whole, after a power loss: beside it, flushed, renamed, the directory flushed. */
export async function writeDurably(path: string, value: unknown): Promise<void> {
  const half = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  const file = await open(half, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(value));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(half, path);
  await flushDirectory(dirname(path));
}

/** The same without flushing: for what a reboot may forget. */
export async function writeWhole(path: string, value: unknown): Promise<void> {
  const half = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  await writeFile(half, JSON.stringify(value), { mode: 0o600 });
  await rename(half, path);
}

export async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** The file's content; undefined when there is none. @throws what the schema or JSON finds wrong with it */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch(whenMissing(undefined));
  return text === undefined ? undefined : schema.parse(JSON.parse(text));
}
