import { quoteIdentifier, quoteLiteral } from '../../../database';
import { gateFunctionName } from './gate-names.pure';
import type { GateCondition, GateRefusal } from './types';

/** Raised to a client that writes to a frozen tenant. Class TF is used by no other software that we know of. */
export const TENANT_FROZEN_SQLSTATE = 'TF001';

export interface OneFreeze {
  readonly restoreId: string;
  readonly tenant: string;
  /** The gate row's frozen_at: tells this freeze from an earlier one of the same restore. */
  readonly frozenAt: string;
  /** Default: that it is frozen by its restore. */
  readonly refusal?: GateRefusal;
}

/**
 * CREATE FUNCTION for one table's gate.
 *
 * VOLATILE on purpose: each query in it takes a new snapshot under READ COMMITTED, where a STABLE function would use the
 * one of the writing statement, which can be older than the freeze. Under REPEATABLE READ and SERIALIZABLE the snapshot is
 * the transaction's; a row that is too new for it is not found, and not found means frozen.
 */
export function createGateFunction(freeze: OneFreeze, tableOid: number, condition: GateCondition): string {
  const name = `chronawflow.${quoteIdentifier(gateFunctionName(freeze.restoreId, tableOid))}`;
  const body = `
declare
  gate_state text;
  gate_until timestamptz;
  gate_found boolean;
  mine boolean;
begin
${condition.kind === 'lookup' ? lookupGuard(freeze, condition) : ''}${askGate(freeze)}
end`;
  return [
    `create or replace function ${name}() returns trigger language plpgsql volatile security definer`,
    `set search_path = pg_catalog, pg_temp as ${quoteLiteral(body)};`,
    `revoke all on function ${name}() from public;`,
    // The sweep reads whose gate it is from here, whatever the name could hold.
    `comment on function ${name}() is ${quoteLiteral(freeze.restoreId)};`,
  ].join('\n');
}

/**
 * Passes rows that are not the tenant's. A transaction whose snapshot is older than the complete freeze may see a parent row as it
 * was before it came to the tenant, so its "not the tenant's" proves nothing: it has to begin anew (40001, which such
 * clients retry). Later snapshots see the parents as they are, since the tenant's stand still.
 */
function lookupGuard(freeze: OneFreeze, condition: Extract<GateCondition, { kind: 'lookup' }>): string {
  return `  if tg_op = 'INSERT' then
    mine := (${condition.sql('new')});
  elsif tg_op = 'DELETE' then
    mine := (${condition.sql('old')});
  elsif tg_op = 'UPDATE' then
    mine := (${condition.sql('old')});
    if mine is not true then
      mine := (${condition.sql('new')});
    end if;
  end if;
  if mine is not true and tg_op <> 'TRUNCATE' then
    if current_setting('transaction_isolation') in ('repeatable read', 'serializable')
       and not exists (select ${fromGate(freeze)} and g.complete_at is not null) then
      raise exception using errcode = '40001',
        message = 'the transaction is older than the freeze of a tenant whose rows this table may hold',
        hint = 'Run the transaction again.';
    end if;
    return null;
  end if;
`;
}

/** Open passes; frozen refuses; expired is believed only of the row's latest version, which FOR SHARE reads and keeps. */
function askGate(freeze: OneFreeze): string {
  const { message, hint } = freeze.refusal ?? {
    message: `tenant ${freeze.tenant} is frozen by restore ${freeze.restoreId}`,
    hint: 'Its rows are being restored. Try again later.',
  };
  return `  select g.state, g.until into gate_state, gate_until ${fromGate(freeze)};
  gate_found := found;
  if gate_found and gate_state = 'frozen' and gate_until <= clock_timestamp() then
    select g.state, g.until into gate_state, gate_until ${fromGate(freeze)} for share;
    gate_found := found;
  end if;
  if gate_found and (gate_state = 'open' or gate_until <= clock_timestamp()) then
    return null;
  end if;
  raise exception using errcode = '${TENANT_FROZEN_SQLSTATE}',
    message = ${quoteLiteral(message)},
    hint = ${quoteLiteral(hint)},
    schema = tg_table_schema, table = tg_table_name;`;
}

function fromGate(freeze: OneFreeze): string {
  return `from chronawflow.gate g where g.restore_id = ${quoteLiteral(freeze.restoreId)} and g.frozen_at = ${quoteLiteral(freeze.frozenAt)}::timestamptz`;
}
