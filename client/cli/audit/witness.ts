import type { Command } from 'commander';
import { readSigningKey, readVerifierKey, serveWitness, Witness, WitnessState } from '../../../core/audit';
import { InvalidInputError } from '../../../core/errors';
import { Output } from '../output';
import { wholeNumber } from '../recovery/options';

interface WitnessOptions {
  readonly key: readonly string[];
  readonly log: readonly string[];
  readonly state: string;
  readonly port: number;
  readonly host: string;
  readonly json?: boolean;
}

/** `chronawflow witness`: needs no configuration, no database and no Temporal. */
export function registerWitness(program: Command): void {
  program
    .command('witness')
    .description(
      'cosign an audit log as long as it only grows; for a machine that its administrators do not administer',
    )
    .requiredOption('--key <file...>', 'its signing keys, made by `chronawflow audit keygen --witness`')
    .requiredOption('--log <key...>', 'public keys of the logs, or their files')
    .requiredOption('--state <file>', 'what it has seen; to be kept as carefully as the key')
    .option('--port <port>', 'where it listens; 0 for a free one', wholeNumber, 7380)
    .option('--host <address>', 'on which address', '127.0.0.1')
    .option('--json', 'print one JSON object a line')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow witness --key witness.key --log log.pub --state witness.json --host 0.0.0.0',
    )
    .action(runWitness);
}

async function runWitness({ key, log, state, port, host, json }: WitnessOptions): Promise<void> {
  const out = new Output(json ?? false);
  const keys = await Promise.all(key.map(readSigningKey));
  const plain = keys.find(({ kind }) => kind === 'ed25519');
  if (plain !== undefined) {
    throw new InvalidInputError(`The key ${plain.name} is a log's, not a witness's.`, {
      hint: 'Make one with `chronawflow audit keygen --witness`.',
    });
  }
  const logs = await Promise.all(log.map(readVerifierKey));
  const server = await serveWitness(new Witness(keys, logs, await WitnessState.open(state)), {
    port,
    host,
    onError: (error) => out.note(`✗ ${String(error)}`),
  });
  out.result({ port: server.port, logs: logs.map(({ name }) => name) }, () => [
    `Witness of ${logs.map(({ name }) => name).join(', ')}, at http://${host}:${server.port}/add-checkpoint.`,
  ]);
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve()).once('SIGINT', () => resolve());
  });
  await server.close();
}
