import type { Command } from 'commander';
import { formatVerifierKey, generateSigningKey, isKeyName, writeSigningKey } from '../../../core/audit';
import { InvalidInputError } from '../../../core/errors';
import { Output } from '../output';

interface KeygenOptions {
  readonly name: string;
  readonly out: string;
  readonly quantumSafe?: boolean;
  readonly witness?: boolean;
  readonly json?: boolean;
}

/** `chronawflow audit keygen` */
export function registerKeygen(audit: Command): void {
  audit
    .command('keygen')
    .description('make a signing key for the log; it is written to a file and never shown')
    .requiredOption('--name <origin>', 'the log’s name for ever, such as example.com/audit')
    .requiredOption('--out <file>', 'where to; never overwritten')
    .option('--quantum-safe', 'an ML-DSA-44 key, beside the other one')
    .option('--witness', 'the key of a witness; its name is the witness’s, such as witness.example.net')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ chronawflow audit keygen --name example.com/audit --out audit.key')
    .action(async ({ name, out: file, quantumSafe, witness, json }: KeygenOptions) => {
      if (!isKeyName(name)) {
        throw new InvalidInputError(`'${name}' is no name for a log.`, {
          hint: 'Use one without white space and plus signs, such as example.com/audit.',
        });
      }
      const plain = witness ? 'cosignature-ed25519' : 'ed25519';
      const key = generateSigningKey(name, quantumSafe ? 'cosignature-ml-dsa-44' : plain);
      await writeSigningKey(file, key);
      const publicKey = formatVerifierKey(key);
      new Output(json ?? false).result({ file, publicKey }, () => [
        `The signing key is in ${file}: keep a copy where the database’s administrators cannot read it.`,
        `Its public key, for ${witness ? 'audit.witnesses' : 'audit.publicKey'} and for everybody who verifies:`,
        publicKey,
      ]);
    });
}
