import type { Command } from 'commander';
import type { RecoveryPointKind } from '../../../core/recovery/types';
import { currentOperator } from '../../operator';
import { InterruptedError } from '../interrupted-error';
import { interruptible } from '../interruptible';
import { compliancePage } from '../pages/compliance-page';
import { pointsPage } from '../pages/points-page';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { kindOption } from './schedule';

/** `chronawflow recovery points|create|compliance` */
export function registerPoints(recovery: Command): void {
  withCommonOptions(recovery.command('points'))
    .description('recovery points, and from when to when the cluster can be restored')
    .addHelpText('after', '\nExample:\n  $ chronawflow recovery points')
    .action(async (options: CommonOptions) =>
      inSession(options, async ({ cf, out }) => {
        const points = await cf.recovery.points();
        out.result(points, () => pointsPage(points));
      }),
    );

  withCommonOptions(recovery.command('create'))
    .description('make a backup or a named restore point, and wait until it is recorded')
    .addOption(kindOption())
    .option('--name <name>', 'to restore to it as point:<name> (default: kind and time)')
    .option('--as <name>', 'who asks', currentOperator())
    .option('--reason <text>', 'for the audit log')
    .addHelpText('after', '\nExample:\n  $ chronawflow recovery create --kind named --name before-import')
    .action(
      async (
        options: CommonOptions & {
          readonly kind: RecoveryPointKind;
          readonly name?: string;
          readonly as: string;
          readonly reason?: string;
        },
      ) =>
        inSession(options, async ({ cf, out }) => {
          const { kind, name, reason } = options;
          const point = await interruptible(stillMade, () =>
            cf.recovery.createRecoveryPoint({ kind, name, reason, requestedBy: options.as }),
          );
          out.result(point, () => [
            `${point.name}: ${point.kind}, at ${point.at}, LSN ${point.lsn}${point.backupLabel === undefined ? '' : `, backup ${point.backupLabel}`}`,
            `Restore to it: --to point:${point.name}`,
          ]);
        }),
    );

  withCommonOptions(recovery.command('compliance'))
    .description(
      'hold what is restorable and the last restores against the objectives; exit code 1 when one is missed',
    )
    .option('--tenant <key>', 'one tenant only')
    .addHelpText('after', '\nExample:\n  $ chronawflow recovery compliance --json')
    .action(async (options: CommonOptions & { readonly tenant?: string }) =>
      inSession(options, async ({ cf, out }) => {
        const report = await cf.recovery.compliance(options.tenant);
        out.result(report, () => compliancePage(report));
        if (!report.compliant) process.exitCode = 1;
      }),
    );
}

function stillMade(): InterruptedError {
  return new InterruptedError('interrupted; the recovery point is still being made', {
    hint: 'It is listed when it is recorded: chronawflow recovery points',
  });
}
