import { InvalidArgumentError } from 'commander';
import type { ConflictDecision, ConflictKind, FreezeMode, RestoreModes } from '../../../core/recovery/types';

/** Parsers of option values; what they refuse, commander reports with the option's name and exit code 2. */

const KINDS: readonly ConflictKind[] = [
  'unique-taken',
  'referenced',
  'owner-changed',
  'parent-missing',
  'schema-changed',
  'constraint-violated',
  'changed-since',
];

/** `public.invoice:unique-taken=skip`, collected over repeated options. */
export function decision(text: string, earlier: readonly ConflictDecision[] = []): ConflictDecision[] {
  const match = /^(.+):([a-z-]+)=(block|skip)$/.exec(text);
  const kind = KINDS.find((known) => known === match?.[2]);
  const table = match?.[1];
  if (table === undefined || kind === undefined) {
    throw new InvalidArgumentError(`write it as <schema.table>:<kind>=skip, with kind ${KINDS.join(', ')}`);
  }
  return [...earlier, { table, kind, decision: match?.[3] === 'block' ? 'block' : 'skip' }];
}

/** `create,update,delete` or some of them. */
export function modes(text: string): RestoreModes {
  const chosen = text.split(',').map((mode) => mode.trim());
  const unknown = chosen.filter((mode) => !['create', 'update', 'delete'].includes(mode));
  if (unknown.length > 0)
    throw new InvalidArgumentError(`'${unknown.join(', ')}'; choose of create, update and delete`);
  return {
    create: chosen.includes('create'),
    update: chosen.includes('update'),
    delete: chosen.includes('delete'),
  };
}

export function freezeMode(text: string): FreezeMode {
  if (text === 'before-preview' || text === 'after-approval') return text;
  throw new InvalidArgumentError('choose before-preview or after-approval');
}

export function approvals(text: string): 0 | 1 | 2 {
  if (text === '0') return 0;
  if (text === '1') return 1;
  if (text === '2') return 2;
  throw new InvalidArgumentError('choose 0, 1 or 2');
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('give a whole number');
  return value;
}
