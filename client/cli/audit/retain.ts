import type { Command } from 'commander';
import type { Dropped, Held, RetentionReport } from '../../../core/retention';
import { createPool } from '../../../database';
import { AuditRetentionClient } from '../../audit-retention';
import { OperatorSigning } from '../../operator-signing';
import { confirm } from '../confirm';
import { durationOption } from '../options';
import { Output } from '../output';
import { type CommonOptions, withCommonOptions } from '../session';
import { readSigned, type SignedOptions, withSigned, writeIntent } from '../signed-request';
import { withPlatform } from './options';

interface RetainOptions extends CommonOptions, SignedOptions {
  readonly olderThan?: number;
  readonly tenant?: string;
  readonly reason: string;
  readonly as?: string;
  readonly yes?: boolean;
}

/** `chronawflow audit retain` */
export function registerRetain(audit: Command): void {
  withSigned(withCommonOptions(audit.command('retain')))
    .description(
      'drop the oldest sealed events for good; their hashes stay, and everything verifies as before',
    )
    .option(
      '--older-than <duration>',
      'what was sealed longer ago (default: audit.retention.keep)',
      durationOption,
    )
    .option('--tenant <key>', 'only this tenant’s log')
    .requiredOption('--reason <text>', 'why, for the audit log; name nobody in it')
    .option('--as <operator>', 'who decides (default: CHRONAWFLOW_OPERATOR, or the account)')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow audit retain --older-than 400d --reason "retention policy 7" --yes',
    )
    .action(async ({ sign, request, approval, yes, ...options }: RetainOptions) =>
      withPlatform(options, async (platform, config) => {
        const out = new Output(options.json ?? false);
        const retainer = createPool(config.audit.retention?.database ?? config.platform.database, {
          applicationName: 'chronawflow retention',
          max: 1,
        });
        try {
          const signing = new OperatorSigning(config, platform, undefined);
          const client = new AuditRetentionClient(config, platform, retainer, signing);
          const { olderThan, tenant, reason, as } = options;
          if (sign !== undefined) {
            const { intent } = await client.request({ olderThan, tenant, reason });
            return await writeIntent(out, sign, intent);
          }
          const signed = await readSigned({ request, approval });
          const whose = tenant === undefined ? 'all logs' : `the log of ${tenant}`;
          await confirm(`Drop the oldest events of ${whose} for good?`, 'dropping events', yes);
          const report = await client.retain({ olderThan, tenant, reason, as, signed });
          out.result(report, () => retainedPage(report));
        } finally {
          await retainer.end();
        }
      }),
    );
}

function retainedPage({ dropped, held }: RetentionReport): string[] {
  return [
    ...(dropped.length === 0 ? ['Nothing that may go is there.'] : dropped.map(droppedLine)),
    ...held.map(heldLine),
  ];
}

function droppedLine({ tenant, origin, entries, personal, minimumIndex }: Dropped): string {
  const whose = tenant === null ? 'events without a tenant' : tenant;
  return `${whose} (${origin}): ${entries.toLocaleString('en')} entries dropped, personal data of ${personal} events; entries from ${minimumIndex.toLocaleString('en')} on are there.`;
}

function heldLine({ tenant, hold }: Held): string {
  return `${tenant}: nothing was dropped, legal hold ${hold.id} of ${hold.since.slice(0, 10)} stands (${hold.reason}).`;
}
