import type { ComplianceReport } from '../../../core/recovery/report';
import { colors as pc } from '../colors';
import { count, duration, table } from './format';

/** What was promised beside what is there, by tier. */
export function compliancePage(report: ComplianceReport): string[] {
  return [
    ...(report.tiers.length === 0
      ? ['No tenant has a tier; configure objectives.tiers and objectives.defaultTier.']
      : table(
          ['tier', 'tenants', 'RPO', 'allowed', 'RTO', 'allowed'],
          report.tiers.map((tier) => [
            tier.tier,
            count(tier.tenants),
            tier.rpoMs === undefined ? 'nothing restorable' : duration(tier.rpoMs),
            duration(tier.rpoObjectiveMs),
            tier.rtoMs === undefined ? 'never shown' : duration(tier.rtoMs),
            duration(tier.rtoObjectiveMs),
          ]),
        )),
    ...report.breaches.map(
      (breach) =>
        `${pc.red('✗')} ${breach.tier}: ${breach.objective.toUpperCase()} missed, ${breach.message}`,
    ),
    ...(report.withoutTier.length === 0
      ? []
      : [`Without a tier: ${count(report.withoutTier.length)} tenants.`]),
    report.compliant ? pc.green('All objectives are met.') : pc.red('Objectives are missed.'),
  ];
}
