import { quoteIdentifier, quoteLiteral, quoteQualified } from '../../../database';
import { type GateEvent, gateFunctionName, gateTriggerName } from './gate-names.pure';
import type { GateRelation } from './read-relations';
import type { GateCondition } from './types';

/**
 * CREATE TRIGGER for everything that one relation needs. Row triggers are AFTER, so that they judge the row as it was
 * stored: a BEFORE trigger of the application may still change it, and generated columns are known only then. There is
 * one per event, because a WHEN that names OLD is not allowed for INSERT, nor NEW for DELETE.
 *
 * A partitioned table hands its row triggers to its partitions, also to those attached later; TRUNCATE's triggers are not
 * handed down and are made on each of them.
 */
export function createGateTriggers(
  gate: {
    readonly restoreId: string;
    readonly tenant: string;
    readonly tableOid: number;
    readonly condition: GateCondition;
  },
  relation: GateRelation,
): string[] {
  const events: GateEvent[] = relation.inheritsRowTriggers
    ? ['truncate']
    : ['insert', 'update', 'delete', 'truncate'];
  const call = `execute function chronawflow.${quoteIdentifier(gateFunctionName(gate.restoreId, gate.tableOid))}()`;
  return events.map((event) => {
    const name = quoteIdentifier(gateTriggerName(gate.restoreId, event));
    const table = quoteQualified(relation);
    if (event === 'truncate')
      return `create trigger ${name} before truncate on ${table} for each statement ${call};`;
    const when = whenTenant(gate.condition, gate.tenant, event);
    return `create trigger ${name} after ${event} on ${table} for each row ${when}${call};`;
  });
}

/** WHEN takes no subquery: a lookup is made by the function instead, for every row. */
function whenTenant(condition: GateCondition, tenant: string, event: 'insert' | 'update' | 'delete'): string {
  if (condition.kind === 'lookup') return '';
  const mine = (row: string) =>
    `${row}.${quoteIdentifier(condition.column)} = ${quoteLiteral(tenant)}::${condition.type}`;
  if (event === 'insert') return `when (${mine('new')}) `;
  if (event === 'delete') return `when (${mine('old')}) `;
  return `when (${mine('old')} or ${mine('new')}) `;
}
