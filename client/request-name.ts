import { randomBytes } from 'node:crypto';

/** A readable name that nobody else has: the time in UTC and two random bytes, `20261123t101500-9f3a`. */
export function newRequestName(now = new Date()): string {
  const time = now
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z$/g, '')
    .toLowerCase();
  return `${time}-${randomBytes(2).toString('hex')}`;
}
