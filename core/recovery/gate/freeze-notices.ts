import type { Pool } from 'pg';
import type { SlicePlan } from '../slice/plan-types';
import { findBypasses, type GateBypass } from './find-bypasses';
import { gateTables } from './gate-tables';
import { measureLookupCost } from './measure-lookup-cost';

/** Below this a lookup is lost in the cost of the write itself. */
const NOTEWORTHY_MICROSECONDS = 20;

/** What the person who approves should know about the freeze: its cost for others, and who could write in spite of it. */
export async function freezeNotices(pool: Pool, plan: SlicePlan): Promise<string[]> {
  const notices: string[] = [];
  const slight: string[] = [];
  for (const table of gateTables(plan).filter(({ condition }) => condition.kind === 'lookup')) {
    const { microsecondsPerRow } = await measureLookupCost(pool, table);
    const name = `${table.schema}.${table.name}`;
    if (microsecondsPerRow === undefined) continue;
    if (microsecondsPerRow < NOTEWORTHY_MICROSECONDS) slight.push(name);
    else
      notices.push(
        `while the tenant is frozen, every row written to ${name}, by any tenant, costs ${Math.round(microsecondsPerRow)} µs more`,
      );
  }
  if (slight.length > 0)
    notices.push(
      `while the tenant is frozen, every row written to ${slight.join(', ')}, by any tenant, costs less than ${NOTEWORTHY_MICROSECONDS} µs more`,
    );
  for (const bypass of await findBypasses(pool)) notices.push(`${describeBypass(bypass)} passes the freeze`);
  return notices;
}

function describeBypass(bypass: GateBypass): string {
  switch (bypass.kind) {
    case 'subscription':
      return `subscription ${bypass.name} (${bypass.tables.length} tables${bypass.enabled ? '' : ', disabled'})`;
    case 'apply-worker':
      return `the apply worker of subscription ${bypass.subscription} (pid ${bypass.pid})`;
    case 'replica-role-default':
      return `role ${bypass.role} in database ${bypass.database}, whose sessions start in replica role,`;
    case 'replica-role-server':
      return 'every new session, because the server starts them in replica role,';
    case 'may-set-replica-role':
      return `role ${bypass.role}, which may set session_replication_role,`;
    case 'trigger-disabled':
      return `a write to ${bypass.table}, whose gate trigger ${bypass.trigger} is disabled,`;
  }
}
