import { InvalidArgumentError } from 'commander';
import type {
  ConflictDecision,
  ConflictKind,
  FreezeMode,
  MappableKind,
  MappingRule,
  RestoreModes,
} from '../../../core/recovery/types';

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

const MAPPABLE: readonly MappableKind[] = ['unique-taken', 'parent-missing', 'constraint-violated'];

/**
 * `public.invoice:unique-taken=skip`, `public.users:unique-taken=map:email=suffix:-restored`, collected over repeated
 * options.
 */
export function decision(text: string, earlier: readonly ConflictDecision[] = []): ConflictDecision[] {
  const [, table, kind, answer] = /^([^=]+):([a-z-]+)=(block|skip|map:.+)$/s.exec(text) ?? [];
  const known = KINDS.find((one) => one === kind);
  if (table === undefined || known === undefined || answer === undefined) {
    throw new InvalidArgumentError(
      `write it as <schema.table>:<kind>=skip or =map:<column>=<rule>, with kind ${KINDS.join(', ')}`,
    );
  }
  if (answer === 'block' || answer === 'skip') return [...earlier, { table, kind: known, decision: answer }];
  const mappable = MAPPABLE.find((one) => one === known);
  if (mappable === undefined)
    throw new InvalidArgumentError(`only ${MAPPABLE.join(', ')} can be mapped, not ${known}`);
  return [...earlier, { table, kind: mappable, decision: 'map', ...mapping(answer.slice('map:'.length)) }];
}

/** `email=suffix:-restored`, `country=value:DE`, `manager_id=null`. */
function mapping(text: string): { readonly column: string; readonly rule: MappingRule } {
  const [, column, rule, value] = /^([^=]+)=(null$|prefix:|suffix:|value:)(.*)$/s.exec(text) ?? [];
  if (column !== undefined && rule === 'null') return { column, rule: { kind: 'null' } };
  for (const kind of ['prefix', 'suffix', 'value'] as const) {
    if (column !== undefined && rule === `${kind}:` && value) return { column, rule: { kind, text: value } };
  }
  throw new InvalidArgumentError(
    'write a mapping as map:<column>=null, =prefix:<text>, =suffix:<text> or =value:<text>',
  );
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
