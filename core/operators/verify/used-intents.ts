import type { ClientBase } from 'pg';
import type { GoodIntent } from '../intent';

type Database = Pick<ClientBase, 'query'>;

/** Which operation used the nonce. */
export async function ownerOfNonce(db: Database, nonce: string): Promise<string | undefined> {
  const { rows } = await db.query<{ owner: string }>(
    'select owner from chronawflow.used_intent where nonce = $1',
    [nonce],
  );
  return rows[0]?.owner;
}

/**
 * Uses the nonce up, in either database: one that is under way elsewhere is waited for.
 *
 * @returns whether it is this owner's, now or from before
 */
export async function useNonce(
  db: Database,
  { intent, signed }: GoodIntent,
  owner: string,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into chronawflow.used_intent (nonce, owner, action, operator, tenant, intent, signature)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (nonce) do nothing`,
    [
      intent.nonce,
      owner,
      intent.action,
      intent.operator,
      intent.tenant ?? null,
      signed.intent,
      signed.signature,
    ],
  );
  return rowCount === 1 || (await ownerOfNonce(db, intent.nonce)) === owner;
}
