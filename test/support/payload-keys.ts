import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configSchema, type PayloadsConfig } from '../../config';

/** Writes a key-encryption key into a directory. @returns its part of the configuration */
export async function makeKeyFile(directory: string, id: string): Promise<{ id: string; file: string }> {
  const file = join(directory, `${id}.key`);
  await writeFile(file, randomBytes(32).toString('base64'), { mode: 0o600 });
  return { id, file };
}

/** The section with its defaults. */
export function payloadsConfig(raw: object): PayloadsConfig {
  const payloads = configSchema.shape.payloads.parse(raw);
  if (payloads === undefined) throw new Error('no section payloads');
  return payloads;
}
