import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-json';

/** SHA-256 of the canonical JSON, 64 hexadecimal digits: equal payloads have equal fingerprints. */
export function fingerprint(payload: unknown): string {
  return createHash('sha256').update(canonicalJson(payload)).digest('hex');
}
