import { loadConfig } from '../../../config';
import { createPool } from '../../../database';
import { OperatorSigning } from '../../operator-signing';
import { OperatorsClient } from '../../operators';
import { Output } from '../output';
import type { CommonOptions } from '../session';

/** Runs a command with the control plane's database alone: operators are administered without Temporal. */
export async function inRegistry(
  options: CommonOptions,
  work: (operators: OperatorsClient, out: Output) => Promise<void>,
): Promise<void> {
  const config = loadConfig({ configFile: options.config });
  const pool = createPool(config.platform.database, { applicationName: 'chronawflow operators', max: 2 });
  try {
    const signing = new OperatorSigning(config, pool, undefined);
    await work(new OperatorsClient(pool, signing), new Output(options.json ?? false));
  } finally {
    await pool.end();
  }
}
