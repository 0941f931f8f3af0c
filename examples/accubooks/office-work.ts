import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { attachDocument } from './attach-document';
import { insertCustomers } from './create-organisation';
import { postInvoice, randomInvoiceLines } from './post-invoice';
import type { Random } from './random';
import { receivePayment } from './receive-payment';

/** Ids are new each time, whatever `random` is: two writers with the same seed must not meet. */
export interface WorkContext {
  readonly organisationId: string;
  /** ISO date of today. */
  readonly today: string;
  readonly random: Random;
}

export interface OfficeWork {
  readonly name: string;
  /** How often it is chosen, relative to the others. */
  readonly weight: number;
  run(tx: ClientBase, context: WorkContext): Promise<void>;
}

/** One day in an accounts office, as single transactions: mostly inserts, some updates, a few deletes. */
export const OFFICE_WORK: readonly [OfficeWork, ...OfficeWork[]] = [
  { name: 'post-invoice', weight: 45, run: postRandomInvoice },
  {
    name: 'receive-payment',
    weight: 25,
    run: async (tx, { organisationId, today }) => {
      await receivePayment(tx, organisationId, today);
    },
  },
  { name: 'sign-in', weight: 10, run: signIn },
  { name: 'label-customer', weight: 8, run: labelCustomer },
  {
    name: 'attach-document',
    weight: 5,
    run: (tx, { organisationId, random }) => attachDocument(tx, organisationId, randomUUID(), random),
  },
  { name: 'discard-document', weight: 2, run: discardDocument },
  { name: 'change-setting', weight: 3, run: changeSetting },
  {
    name: 'add-customer',
    weight: 2,
    run: async (tx, { organisationId, random }) => {
      await insertCustomers(tx, organisationId, [randomUUID()], random);
    },
  },
];

/** Picks by weight; `share` in [0, 1) is the position on the line of all weights. */
export function chooseWork(work: readonly [OfficeWork, ...OfficeWork[]], share: number): OfficeWork {
  let left = share * work.reduce((sum, one) => sum + one.weight, 0);
  for (const one of work) {
    left -= one.weight;
    if (left < 0) return one;
  }
  return work[0];
}

async function postRandomInvoice(tx: ClientBase, context: WorkContext): Promise<void> {
  const { organisationId, today, random } = context;
  let customerId = await findCustomer(tx, organisationId, random());
  if (customerId === undefined) {
    customerId = randomUUID();
    await insertCustomers(tx, organisationId, [customerId], random);
  }
  await postInvoice(tx, { organisationId, customerId, issuedOn: today, lines: randomInvoiceLines(random) });
}

/** Read each time, never remembered: a restore may have taken a customer away. */
async function findCustomer(
  tx: ClientBase,
  organisationId: string,
  share: number,
): Promise<string | undefined> {
  const { rows } = await tx.query<{ id: string }>(
    `select id from (
       select id, row_number() over (order by id) as place, count(*) over () as total
       from customers where organisation_id = $1 and archived_at is null
     ) own where place = 1 + floor($2::float8 * total)`,
    [organisationId, share],
  );
  return rows[0]?.id;
}

async function signIn(tx: ClientBase, { organisationId }: WorkContext): Promise<void> {
  await tx.query(
    `insert into access_log (organisation_id, user_id, action, address)
     select $1::uuid, (select id from users where organisation_id = $1 order by id limit 1), 'sign-in', '192.0.2.10'`,
    [organisationId],
  );
}

async function labelCustomer(tx: ClientBase, { organisationId, random }: WorkContext): Promise<void> {
  const share = random();
  const customerId = await findCustomer(tx, organisationId, share);
  if (customerId === undefined) return;
  await tx.query('update customers set labels = array[$2] where id = $1', [
    customerId,
    share < 0.5 ? 'call back' : 'friendly',
  ]);
}

async function discardDocument(tx: ClientBase, { organisationId }: WorkContext): Promise<void> {
  await tx.query(
    `delete from attachments where id = (
       select id from attachments where organisation_id = $1 order by created_at, id limit 1 for update skip locked)`,
    [organisationId],
  );
}

async function changeSetting(tx: ClientBase, { organisationId, random }: WorkContext): Promise<void> {
  await tx.query(
    `insert into "tenantSettings" ("organisationId", "settingKey", "settingValue")
     values ($1, 'ui.rowsPerPage', to_jsonb($2::integer))
     on conflict ("organisationId", "settingKey") do update set "settingValue" = excluded."settingValue"`,
    [organisationId, 10 * (1 + Math.floor(random() * 10))],
  );
}
