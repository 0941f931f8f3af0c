import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { ErasureReport, LegalHold } from '../../../core/erasure';
import { InvalidInputError } from '../../../core/errors';
import { createPool } from '../../../database';
import type { ErasureClient } from '../../erasure';
import { OperatorSigning } from '../../operator-signing';
import { confirm } from '../confirm';
import { Output } from '../output';
import { type CommonOptions, withCommonOptions } from '../session';
import { readSigned, type SignedOptions, withSigned, writeIntent } from '../signed-request';
import { withPlatform } from './options';

/** Loaded with the first erasure: it knows how rows are found, which nothing else here does. */
const load: (name: '../../erasure') => typeof import('../../erasure') = require;

interface ActorOptions extends CommonOptions {
  readonly as?: string;
  readonly reason: string;
}

interface EraseOptions extends ActorOptions, SignedOptions {
  readonly tenant: string;
  readonly subject: string;
  readonly out?: string;
  readonly yes?: boolean;
}

interface HoldOptions extends ActorOptions {
  readonly tenant?: string;
  readonly subject?: string;
  readonly lift?: string;
}

/** `chronawflow audit erase|hold|holds` */
export function registerErase(audit: Command): void {
  withSigned(withActor(withCommonOptions(audit.command('erase'))))
    .description('erase a person’s data of one tenant for good, and prove it')
    .requiredOption('--tenant <key>', 'whose')
    .requiredOption('--subject <name>', 'the person, as erasure.tables and the audit log name them')
    .option('--out <file>', 'write a receipt for the person there')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow audit erase --tenant acme --subject ada@example.org --reason "request 4711" --out receipt.json',
    )
    .action(async ({ tenant, subject, reason, as, out: file, yes, ...options }: EraseOptions) =>
      withErasure(options, async (erasure, out) => {
        if (options.sign !== undefined) {
          const { intent } = await erasure.request({ tenant, subject, reason });
          return writeIntent(out, options.sign, intent);
        }
        const signed = await readSigned(options);
        await confirm(
          `Erase the data of ${subject} in ${tenant} for good?`,
          `erasing data of ${tenant}`,
          yes,
        );
        const report = await erasure.erase({ tenant, subject, reason, as, signed });
        if (file !== undefined) await writeFile(file, await erasure.receipt(report));
        out.result(report, () => erasedPage(report, file));
      }),
    );

  withActor(withCommonOptions(audit.command('hold')))
    .description('forbid erasing the data of a person or of a whole tenant, or lift such a hold')
    .option('--tenant <key>', 'whose')
    .option('--subject <name>', 'only this person’s')
    .option('--lift <id>', 'lift this hold')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow audit hold --tenant acme --subject ada@example.org --reason "case 12 O 34/26"\n  $ chronawflow audit hold --lift 3 --reason "case closed"',
    )
    .action(async ({ tenant, subject, lift, reason, as, ...options }: HoldOptions) =>
      withErasure(options, async (erasure, out) => {
        if ((tenant === undefined) === (lift === undefined))
          throw new InvalidInputError('Say whom to hold (--tenant KEY), or which hold to lift (--lift ID).');
        if (tenant !== undefined) {
          const id = await erasure.hold({ tenant, subject, reason, as });
          out.result({ hold: id, tenant }, () => [`Hold ${id}: nothing of it is erased until it is lifted.`]);
          return;
        }
        const lifted = await erasure.liftHold(lift ?? '', { reason, as });
        out.result({ hold: lift, lifted }, () => [
          lifted ? `Hold ${lift} is lifted.` : `There is no hold ${lift}.`,
        ]);
        if (!lifted) process.exitCode = 1;
      }),
    );

  withCommonOptions(audit.command('holds'))
    .description('legal holds that stand')
    .option('--tenant <key>', 'only this tenant’s')
    .addHelpText('after', '\nExample:\n  $ chronawflow audit holds --tenant acme')
    .action(async ({ tenant, ...options }: CommonOptions & { readonly tenant?: string }) =>
      withErasure(options, async (erasure, out) => {
        const holds = await erasure.holds(tenant);
        out.result({ holds }, () => (holds.length === 0 ? ['No holds.'] : holds.map(holdLine)));
      }),
    );
}

function withActor(command: Command): Command {
  return command
    .requiredOption('--reason <text>', 'why, for the audit log; name nobody in it')
    .option('--as <operator>', 'who decides (default: CHRONAWFLOW_OPERATOR, or the account)');
}

/** With both databases, and without Temporal. */
function withErasure(
  options: CommonOptions,
  work: (erasure: ErasureClient, out: Output) => Promise<void>,
): Promise<void> {
  return withPlatform(options, async (platform, config) => {
    const application = createPool(config.application.database, {
      applicationName: 'chronawflow erasure',
      max: 1,
    });
    try {
      await work(
        new (load('../../erasure').ErasureClient)(
          config,
          platform,
          application,
          new OperatorSigning(config, platform, undefined),
        ),
        new Output(options.json ?? false),
      );
    } finally {
      await application.end();
    }
  });
}

function erasedPage(report: ErasureReport, file: string | undefined): string[] {
  const { id, rows, auditEvents, backupsExpireOn, eventId } = report;
  return [
    `Erasure ${id}: done.`,
    ...rows.map(({ table, rows: count }) => `  ${table}: ${count} ${count === 1 ? 'row' : 'rows'}`),
    `  audit log: personal data of ${auditEvents} ${auditEvents === 1 ? 'event' : 'events'}`,
    `Backups hold the data until ${backupsExpireOn}; a restore from one erases it again.`,
    file === undefined
      ? `Its event is ${eventId}.`
      : `Receipt: ${file}. Give it to the person, with the log’s public key.`,
  ];
}

function holdLine({ id, tenant, ofSubject, placedBy, reason, since }: LegalHold): string {
  return `${id}  ${tenant}  ${ofSubject ? 'one person' : 'everybody'}  since ${since.slice(0, 10)} by ${placedBy}: ${reason}`;
}
