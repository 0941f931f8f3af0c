import type { ClientBase, Pool } from 'pg';
import { ADVISORY_LOCKS, inTransaction } from '../../../database';
import { recordAuditEvent } from '../../audit';
import { RegistryDamagedError } from '../errors/registry-damaged-error';
import { StatementRefusedError } from '../errors/statement-refused-error';
import { parseIntent, type SignedIntent } from '../intent/intent.pure';
import { apply, foldRegistry, type Root, type Statement, statementHash } from './fold-registry.pure';
import type { Registry } from './registry.pure';

/** Nobody changes who may do what until this transaction has ended. */
export async function lockRegistryShared(tx: ClientBase): Promise<void> {
  await tx.query('select pg_advisory_xact_lock_shared($1)', [ADVISORY_LOCKS.operatorRegistry]);
}

/** @throws RegistryDamagedError */
export async function readRegistry(db: Pool | ClientBase, roots: readonly Root[]): Promise<Registry> {
  const { rows } = await db.query<{ seq: string; intent: string; signature: string }>(
    'select seq, intent, signature from chronawflow.operator_statement order by seq',
  );
  const statements = rows.map((row): Statement => ({ ...row, seq: Number(row.seq) }));
  const folded = foldRegistry(roots, statements);
  if (folded.kind === 'damaged') throw new RegistryDamagedError(folded.problem);
  return folded.registry;
}

/**
 * Adds a statement, once every act on a signed intent that is under way has ended.
 *
 * @returns the registry after it
 * @throws StatementRefusedError, RegistryDamagedError
 */
export async function appendStatement(
  platform: Pool,
  roots: readonly Root[],
  signed: SignedIntent,
): Promise<Registry> {
  return inTransaction(platform, async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.operatorRegistry]);
    const registry = await readRegistry(tx, roots);
    const intent = parseIntent(signed.intent);
    if (intent !== undefined) await refuseExpired(tx, intent.expiresAt);
    const after = apply(registry, intent, signed);
    if (intent === undefined || typeof after === 'string') {
      throw new StatementRefusedError(typeof after === 'string' ? after : 'it is no statement');
    }
    const seq = registry.statements + 1;
    await tx.query(
      'insert into chronawflow.operator_statement (seq, intent, signature) values ($1, $2, $3)',
      [seq, signed.intent, signed.signature],
    );
    const hash = statementHash(signed);
    const { previous: _, ...told } = intent.parameters;
    await recordAuditEvent(tx, {
      id: `operator-statement/${hash}`,
      actor: intent.operator,
      action: intent.action,
      object: typeof told.name === 'string' ? told.name : undefined,
      outcome: 'ok',
      details: { ...told, statement: seq, sha256: hash },
    });
    return { ...after, head: hash, statements: seq };
  });
}

async function refuseExpired(tx: ClientBase, expiresAt: string): Promise<void> {
  const { rows } = await tx.query<{ over: boolean }>('select $1::timestamptz <= clock_timestamp() as over', [
    expiresAt,
  ]);
  if (rows[0]?.over) throw new StatementRefusedError(`it expired at ${expiresAt}`, 'Sign it again.');
}
