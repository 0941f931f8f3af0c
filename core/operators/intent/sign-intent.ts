import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { Signer } from '../keys';
import { type Intent, intentText, type SignedIntent } from './intent.pure';

/** Signs what somebody wants done. Both times are the control plane's: machines' clocks are never compared. */
export async function signIntent(
  platform: Pick<Pool, 'query'>,
  signer: Signer,
  intent: Pick<Intent, 'action' | 'operator' | 'tenant' | 'parameters'>,
  lifetimeMs: number,
): Promise<SignedIntent> {
  const { rows } = await platform.query<{ now: string; until: string }>(
    `select to_char(t at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now,
            to_char((t + $1 * interval '1 millisecond') at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as until
       from clock_timestamp() t`,
    [lifetimeMs],
  );
  const [{ now, until } = { now: '', until: '' }] = rows;
  const text = intentText({
    ...intent,
    nonce: randomBytes(16).toString('base64url'),
    issuedAt: now,
    expiresAt: until,
  });
  return { intent: text, signature: await signer.sign(text) };
}
