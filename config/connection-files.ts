import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigInvalidError } from './config-invalid-error';
import type { TlsFiles } from './tls';

interface WithFiles {
  password?: string | undefined;
  passwordFile?: string | undefined;
  ssl: boolean | TlsFiles;
}

/** Reads a secret of one line beside the configuration file. The error names the key, never what is in the file. */
export function readSecret(file: string, path: string, key: string): string {
  try {
    return readFileSync(resolve(dirname(file), path), 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new ConfigInvalidError(file, [`${key} cannot be read`], { cause });
  }
}

/** Paths of certificates and keys, relative to the configuration file. */
export function anchorTls(file: string, tls: boolean | TlsFiles): boolean | TlsFiles {
  if (typeof tls === 'boolean') return tls;
  const { serverName, ...files } = tls;
  const anchored = Object.entries(files).map(([key, path]) => [key, resolve(dirname(file), path)]);
  return { ...Object.fromEntries(anchored), ...(serverName === undefined ? {} : { serverName }) };
}

/** A connection with its password read and its files found. */
export function withFiles<T extends WithFiles>(file: string, connection: T, at: string): T {
  const { passwordFile } = connection;
  return {
    ...connection,
    ssl: anchorTls(file, connection.ssl),
    ...(passwordFile === undefined ? {} : { password: readSecret(file, passwordFile, `${at}.passwordFile`) }),
  };
}
