import type { Command } from 'commander';
import { operatorsPage } from '../pages/operators-page';
import { type CommonOptions, withCommonOptions } from '../session';
import { inRegistry } from './session';

/** `chronawflow operators list` */
export function registerList(operators: Command): void {
  withCommonOptions(operators.command('list'))
    .description('who may do what, and whose key is which; those revoked as well')
    .addHelpText('after', '\nExample:\n  $ chronawflow operators list --json')
    .action(async (options: CommonOptions) =>
      inRegistry(options, async (registry, out) => {
        const { operators: known, statements, ignored } = await registry.registry();
        const listed = [...known.values()];
        out.result({ operators: listed, statements, ignored }, () => operatorsPage(listed, ignored));
      }),
    );
}
