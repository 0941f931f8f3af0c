import type { Command } from 'commander';
import { parseTarget } from '../../../core/recovery/target/parse-target.pure';
import type { ConflictDecision, FreezeMode, RestoreModes } from '../../../core/recovery/types';
import { currentOperator } from '../../operator';
import { confirm } from '../confirm';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { startedRun } from './follow';
import { approvals, decision, freezeMode, modes, wholeNumber } from './options';

interface ApprovalOptions extends CommonOptions {
  readonly tenant: string;
  readonly as: string;
  readonly reason?: string;
  readonly freeze?: FreezeMode;
  readonly approvals?: 0 | 1 | 2;
  readonly decide?: readonly ConflictDecision[];
  readonly request?: string;
  readonly yes?: boolean;
  readonly wait: boolean;
}

interface RestoreOptions extends ApprovalOptions {
  readonly to: string;
  readonly modes?: RestoreModes;
  readonly allowEmpty?: boolean;
  readonly tenantDeleted?: boolean;
  readonly timeline?: number;
}

/** `chronawflow recovery restore` and `chronawflow recovery undo` */
export function registerRestore(recovery: Command): void {
  withApprovalOptions(
    recovery
      .command('restore')
      .description('bring one tenant back to a target: preview, approval, merge, proof')
      .requiredOption('--tenant <key>', 'the tenant')
      .requiredOption('--to <target>', 'time with zone, "20m ago", point:<name>, lsn:<lsn> or xid:<xid>')
      .option(
        '--modes <list>',
        'differences to apply: create,update,delete (default all: exactly the target)',
        modes,
      )
      .option('--allow-empty', 'the tenant did not exist at the target: delete all of it')
      .option('--tenant-deleted', "the tenant's own row is gone now and shall come back")
      .option('--timeline <n>', 'when the time exists on more than one timeline', wholeNumber),
  )
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow recovery restore --tenant acme --to "2026-11-23T10:15:00Z" --reason "invoices deleted"',
    )
    .action(async (options: RestoreOptions) =>
      inSession(options, async ({ cf, out }) => {
        // Nobody is asked about what cannot be done.
        parseTarget(options.to);
        await confirm(
          `Restore tenant ${options.tenant} to ${options.to}? ${consequence(options, cf.config.recovery)}`,
          `The restore of tenant ${options.tenant}`,
          options.yes,
        );
        const run = await cf.recovery.restoreTenant({
          tenant: options.tenant,
          to: options.to,
          requestedBy: options.as,
          reason: options.reason,
          modes: options.modes,
          freeze: options.freeze,
          approvals: options.approvals,
          allowEmpty: options.allowEmpty,
          tenantDeleted: options.tenantDeleted,
          decisions: options.decide,
          timeline: options.timeline,
          request: options.request,
        });
        await startedRun(cf, run, out, options.wait);
      }),
    );

  withApprovalOptions(
    recovery
      .command('undo')
      .description('put back the rows that a merged restore wrote over: preview, approval, merge, proof')
      .argument('<restore-id>', 'as the report shows it')
      .requiredOption('--tenant <key>', 'the tenant'),
  )
    .addHelpText('after', '\nExample:\n  $ chronawflow recovery undo r0123456789ab --tenant acme')
    .action(async (restoreId: string, options: ApprovalOptions) =>
      inSession(options, async ({ cf, out }) => {
        await confirm(
          `Undo restore ${restoreId} of tenant ${options.tenant}? ${consequence(options, cf.config.recovery)}`,
          `The undo of restore ${restoreId}`,
          options.yes,
        );
        const run = await cf.recovery.undo({
          restoreId,
          tenant: options.tenant,
          requestedBy: options.as,
          reason: options.reason,
          freeze: options.freeze,
          approvals: options.approvals,
          decisions: options.decide,
          request: options.request,
        });
        await startedRun(cf, run, out, options.wait);
      }),
    );
}

function withApprovalOptions(command: Command): Command {
  return withCommonOptions(command)
    .option('--as <name>', 'who asks', currentOperator())
    .option('--reason <text>', 'for the audit log')
    .option('--freeze <when>', 'before-preview or after-approval (default: the configuration)', freezeMode)
    .option(
      '--approvals <n>',
      'how many other people must approve: 0, 1 or 2 (default: the configuration)',
      approvals,
    )
    .option(
      '--decide <decision>',
      '<schema.table>:<conflict>=skip or =map:<column>=<rule>; may be repeated',
      decision,
    )
    .option('--request <name>', "last part of the workflow's ID; a name is carried out once")
    .option('--yes', 'do not ask before starting')
    .option('--wait', 'watch until the end (default)', true)
    .option('--no-wait', 'return as soon as it has started');
}

/** What starting it means for the tenant, before anybody has approved anything. */
function consequence(
  options: ApprovalOptions,
  config: { readonly freeze: FreezeMode; readonly approvals: 0 | 1 | 2 },
): string {
  const freeze = options.freeze ?? config.freeze;
  const needed = options.approvals ?? config.approvals;
  const frozen =
    freeze === 'before-preview'
      ? 'Its writes fail from the preview until the end.'
      : 'Its writes fail from the approval until the end.';
  return needed === 0 ? `${frozen} Nobody is asked again before its rows are changed.` : frozen;
}
