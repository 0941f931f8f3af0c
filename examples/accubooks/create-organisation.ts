import type { ClientBase } from 'pg';
import { integerBetween, type Random, randomUuid } from './random';

export type Plan = 'free' | 'standard' | 'enterprise';

export interface NewOrganisation {
  readonly name: string;
  readonly plan: Plan;
  readonly users: number;
  readonly customers: number;
}

export interface CreatedOrganisation {
  readonly id: string;
  readonly name: string;
  readonly userIds: readonly string[];
  readonly customerIds: readonly string[];
}

type Account = readonly [code: string, parent: string | null, name: string, type: string];

/** Accounts that postings use by name; the chart below has them all. */
export const ACCOUNT = { bank: '1010', receivables: '1200', taxPayable: '2200', revenue: '4010' } as const;

const CHART_OF_ACCOUNTS: readonly Account[] = [
  ['1000', null, 'Assets', 'asset'],
  [ACCOUNT.bank, '1000', 'Bank', 'asset'],
  [ACCOUNT.receivables, '1000', 'Trade receivables', 'asset'],
  ['2000', null, 'Liabilities', 'liability'],
  [ACCOUNT.taxPayable, '2000', 'Sales tax payable', 'liability'],
  ['3000', null, 'Equity', 'equity'],
  ['4000', null, 'Income', 'income'],
  [ACCOUNT.revenue, '4000', 'Sales', 'income'],
  ['5000', null, 'Expenses', 'expense'],
];

/** An organisation with everything that bookkeeping needs before the first invoice. */
export async function createOrganisation(
  tx: ClientBase,
  wanted: NewOrganisation,
  random: Random,
): Promise<CreatedOrganisation> {
  const id = randomUuid(random);
  const userIds = Array.from({ length: wanted.users }, () => randomUuid(random));
  // The owner's row comes later in this transaction; that key is checked at commit.
  await tx.query('insert into organisations (id, name, plan, owner_id) values ($1, $2, $3, $4)', [
    id,
    wanted.name,
    wanted.plan,
    userIds[0] ?? null,
  ]);
  await tx.query(
    `insert into users (id, organisation_id, email, display_name)
     select u.id, o.id, 'user' || u.n || '@' || o.id || '.example', 'User ' || u.n
     from organisations o, unnest($2::uuid[]) with ordinality u (id, n) where o.id = $1`,
    [id, userIds],
  );
  await insertBookkeeping(tx, id, random);
  const customerIds = Array.from({ length: wanted.customers }, () => randomUuid(random));
  await insertCustomers(tx, id, customerIds, random);
  return {
    id,
    name: wanted.name,
    userIds,
    customerIds,
  };
}

async function insertBookkeeping(tx: ClientBase, id: string, random: Random): Promise<void> {
  await tx.query('insert into counters (organisation_id) values ($1)', [id]);
  await tx.query(
    `insert into "tenantSettings" ("organisationId", "settingKey", "settingValue")
     values ($1, 'invoice.dueDays', '14'), ($1, 'invoice.tax', '{"percent": 20, "included": false}'), ($1, 'locale', '"en-IE"')`,
    [id],
  );
  await tx.query(
    `insert into accounts (organisation_id, code, parent_code, name, type, position)
     select $1, a.code, a.parent, a.name, a.type::account_type, a.position
     from unnest($2::text[], $3::text[], $4::text[], $5::text[]) with ordinality a (code, parent, name, type, position)`,
    [id, ...([0, 1, 2, 3] as const).map((column) => CHART_OF_ACCOUNTS.map((account) => account[column]))],
  );
  await tx.query(
    `insert into accounting_periods (id, organisation_id, days)
     values ($2, $1, '[2025-01-01,2026-01-01)'), ($3, $1, '[2026-01-01,2027-01-01)')`,
    [id, randomUuid(random), randomUuid(random)],
  );
  await tx.query(`insert into templates (id, organisation_id, name, body) values ($2, $1, 'Reminder', $3)`, [
    id,
    randomUuid(random),
    'Dear {{customer}}, invoice {{number}} is due.',
  ]);
}

/** Adds customers with VAT numbers of their own. */
export async function insertCustomers(
  tx: ClientBase,
  organisationId: string,
  ids: readonly string[],
  random: Random,
): Promise<void> {
  await tx.query(
    `insert into customers (id, organisation_id, name, vat_number, labels)
     select c.id, $1, 'Customer ' || left(c.id::text, 8), 'EU' || upper(left(replace(c.id::text, '-', ''), 12)),
       case when c.important then array['important', 'net 14'] else '{}' end
     from unnest($2::uuid[], $3::boolean[]) c (id, important)`,
    [organisationId, ids, ids.map(() => integerBetween(random, 1, 4) === 1)],
  );
}
