import type { Command } from 'commander';
import { generateOperatorKey } from '../../../core/operators';
import { Output } from '../output';

/** `chronawflow operators keygen` */
export function registerKeygen(operators: Command): void {
  operators
    .command('keygen')
    .description('make your key; the private half stays in the file and is never shown or sent')
    .requiredOption('--out <file>', 'where to; never overwritten')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nAn OpenSSH key does as well: `ssh-keygen -t ed25519`, also in ssh-agent.\n\nExample:\n  $ chronawflow operators keygen --out ~/.chronawflow-operator.key',
    )
    .action(async ({ out: file, json }: { readonly out: string; readonly json?: boolean }) => {
      const { text: publicKey, fingerprint } = await generateOperatorKey(file);
      new Output(json ?? false).result({ file, publicKey, fingerprint }, () => [
        `Your key is in ${file}: export CHRONAWFLOW_OPERATOR_KEY=${file}`,
        'Give an administrator its public half:',
        publicKey,
      ]);
    });
}
