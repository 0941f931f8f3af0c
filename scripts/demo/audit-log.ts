import type { Pool } from 'pg';
import { generateSigningKey, LogSigner, verifyDatabase, writeSigningKey } from '../../core/audit';
import { sealBatch } from '../../core/audit/seal';
import { type Administrator, PLATFORM } from '../../core/local-stack';
import { createPool } from '../../database';
import { heading, line } from './narrate';

/**
 * Seals what the demo did, changes it as the server's superuser, and looks what a verification says to that.
 *
 * @param keyFile where the log's key is left, for a stack that is kept
 */
export async function auditLogChanged(administrator: Administrator, keyFile?: string): Promise<void> {
  heading('9. The audit log, and somebody who changes it');
  const platform = createPool(
    { ...administrator, database: PLATFORM.database },
    { applicationName: 'demo', max: 2 },
  );
  try {
    const key = generateSigningKey('demo.example/audit', 'ed25519');
    if (keyFile !== undefined) await writeSigningKey(keyFile, key);
    const signer = new LogSigner({ log: key });
    while ((await sealBatch(platform, signer)).more);
    const honest = await verifyDatabase(platform, key);
    line(`sealed: ${honest.entries} events in ${honest.logs} logs; violations: ${honest.violations.length}`);

    const putBack = await changeWhoApproved(platform);
    line('a superuser switches the triggers off and writes another name into the approval');
    const cheated = await verifyDatabase(platform, key);
    for (const { problem } of cheated.violations) line(`✗ ${problem}`);
    await putBack();
    const mended = await verifyDatabase(platform, key);
    line(`put back: violations: ${mended.violations.length}`);
    if (honest.violations.length + mended.violations.length > 0 || cheated.violations.length === 0)
      throw new Error('the verification does not tell an honest log from a changed one');
  } finally {
    await platform.end();
  }
}

/** @returns what puts it back */
async function changeWhoApproved(platform: Pool): Promise<() => Promise<void>> {
  const { rows } = await platform.query<{ id: string; actor: string }>(
    `select id, actor from chronawflow.audit_event where actor = 'demo reviewer' order by at desc limit 1`,
  );
  const [event] = rows;
  if (event === undefined) throw new Error('nothing of the approval is in the audit log');
  const become = async (actor: string) => {
    for (const [statement, values] of [
      ['alter table chronawflow.audit_event disable trigger audit_event_insert_only', []],
      ['update chronawflow.audit_event set actor = $2 where id = $1', [event.id, actor]],
      ['alter table chronawflow.audit_event enable always trigger audit_event_insert_only', []],
    ] as const)
      await platform.query(statement, [...values]);
  };
  await become('demo operator');
  return () => become(event.actor);
}
