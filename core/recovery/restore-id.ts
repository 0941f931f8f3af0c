import { createHash } from 'node:crypto';

/**
 * Derived from the workflow ID, so that every retry of any step finds the same restore: `r` and 12 hexadecimal digits
 * (48 bits: a chance of collision of one in a million at 24,000 restores), short enough for names of database objects.
 */
export function restoreIdFor(workflowId: string): string {
  return `r${createHash('sha256').update(workflowId).digest('hex').slice(0, 12)}`;
}
