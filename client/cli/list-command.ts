import type { Command } from 'commander';
import type { Chronawflow } from '../chronawflow';
import { wholeNumber } from './recovery/options';
import { type CommonOptions, inSession, withCommonOptions } from './session';

/** What stands in the control plane's database: what is under way, with `all` also what has ended, the newest first. */
export interface ListCommand<T extends object> {
  readonly description: string;
  readonly example: string;
  /** How many at most, where nobody says otherwise. */
  readonly limit: number;
  read(cf: Chronawflow, which: { readonly all?: boolean; readonly limit: number }): Promise<T>;
  page(found: T): readonly string[];
}

/** `list` under a capability's command; Temporal may be away. */
export function registerList<T extends object>(
  parent: Command,
  { description, example, limit, read, page }: ListCommand<T>,
): void {
  withCommonOptions(parent.command('list'))
    .description(description)
    .option('--all', 'also what has ended')
    .option('--limit <n>', 'how many at most', wholeNumber, limit)
    .addHelpText('after', `\nExample:\n  $ ${example}`)
    .action(
      async ({
        all,
        limit: most,
        ...options
      }: CommonOptions & { readonly all?: boolean; readonly limit: number }) =>
        inSession(
          options,
          async ({ cf, out }) => {
            const found = await read(cf, { all, limit: most });
            out.result(found, () => page(found));
          },
          { whenTemporalIsAway: 'outbox' },
        ),
    );
}
