import type { Command } from 'commander';
import { loadConfig } from '../../../config';
import { createPool } from '../../../database';
import { FourEyes } from '../../four-eyes';
import { OperatorSigning } from '../../operator-signing';
import { confirm } from '../confirm';
import { Output } from '../output';
import { type CommonOptions, withCommonOptions } from '../session';
import { readIntent, writeIntent } from '../signed-request';

interface ApproveOptions extends CommonOptions {
  readonly out: string;
  readonly yes?: boolean;
}

/** `chronawflow operators approve` */
export function registerApprove(operators: Command): void {
  withCommonOptions(operators.command('approve'))
    .description('consent to what somebody else has signed; it is shown first')
    .argument('<request>', 'the file that --sign has written')
    .requiredOption('--out <file>', 'where to write the consent')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  $ chronawflow operators approve erase.json --out approval.json')
    .action(async (file: string, { config: configFile, json, out: target, yes }: ApproveOptions) => {
      const out = new Output(json ?? false);
      const intent = await readIntent(file);
      out.note(intent.intent);
      await confirm('Consent to this?', 'The consent', yes);
      const config = loadConfig({ configFile });
      const platform = createPool(config.platform.database, {
        applicationName: 'chronawflow operators',
        max: 1,
      });
      try {
        const fourEyes = new FourEyes(new OperatorSigning(config, platform, undefined));
        await writeIntent(out, target, await fourEyes.approve({ intent }));
      } finally {
        await platform.end();
      }
    });
}
