import { createHash } from 'node:crypto';
import { InvalidInputError } from '../errors';

/** Longest form of one part; two parts and a prefix stay far below Temporal's limit of 1,000. */
const PART_LIMIT = 160;
const DIGEST_LENGTH = 32;

/**
 * One part of a workflow ID: percent-encoded UTF-8, everything but letters, digits, `.`, `_` and `-`. Different texts
 * give different parts: a slash never survives, and a part that is too long ends in `~` and its digest, where `~`
 * itself is always encoded otherwise.
 */
export function workflowIdPart(text: string): string {
  if (text.length === 0) throw new InvalidInputError('A part of a workflow ID cannot be empty.');
  const encoded = [...Buffer.from(text, 'utf8')].map(encodeByte).join('');
  if (encoded.length <= PART_LIMIT) return encoded;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, DIGEST_LENGTH);
  return `${encoded.slice(0, PART_LIMIT - DIGEST_LENGTH - 1).replace(/%.?$/, '')}~${digest}`;
}

function encodeByte(byte: number): string {
  const char = String.fromCharCode(byte);
  return /^[A-Za-z0-9._-]$/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
