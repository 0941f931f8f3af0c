import type { Command } from 'commander';
import type { Pool } from 'pg';
import { type Config, loadConfig } from '../../../config';
import { AuditReader, formatVerifierKey, readVerifierKeys, type VerifierKey } from '../../../core/audit';
import { InvalidInputError } from '../../../core/errors';
import { createPool } from '../../../database';
import { currentOperator } from '../../operator';
import type { CommonOptions } from '../session';

export interface KeyOptions extends CommonOptions {
  readonly key?: string;
}

export function withKey(command: Command): Command {
  return command.option('--key <file>', 'the log’s public key, or its file (default: audit.publicKey)');
}

/** What everybody trusts who verifies: given by hand, or configured; with the keys that the log had before. */
export async function verifierKeys(options: KeyOptions, config?: Config): Promise<readonly VerifierKey[]> {
  if (options.key !== undefined) return readVerifierKeys(options.key);
  const { publicKey, formerPublicKeys = [] } = config?.audit ?? {};
  if (publicKey !== undefined) {
    const keys = await Promise.all([publicKey, ...formerPublicKeys].map(readVerifierKeys));
    return readVerifierKeys(keys.flat().map(formatVerifierKey).join('\n'));
  }
  throw new InvalidInputError('The log’s public key is not known.', {
    hint: 'Give it with --key, or set audit.publicKey; `chronawflow audit keygen` prints it.',
  });
}

/** Reads the log for whoever runs the command. */
export function auditReader(platform: Pool, config: Config): AuditReader {
  return new AuditReader(platform, { actor: currentOperator(), record: config.audit.reads.log });
}

/** Runs a command with a pool of the control plane's database alone: verifying needs no Temporal. */
export async function withPlatform<T>(
  options: CommonOptions,
  work: (platform: Pool, config: Config) => Promise<T>,
): Promise<T> {
  const config = loadConfig({ configFile: options.config });
  const pool = createPool(config.platform.database, { applicationName: 'chronawflow audit', max: 2 });
  try {
    return await work(pool, config);
  } finally {
    await pool.end();
  }
}
