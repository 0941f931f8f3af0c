import ms, { type StringValue } from 'ms';
import { z } from 'zod';

/** `'5m'`-style text or milliseconds; parsed to milliseconds. */
export const duration = z.union([z.number().nonnegative(), z.string()]).transform((value, ctx) => {
  const parsed = typeof value === 'number' ? value : parseDuration(value);
  if (parsed === undefined) {
    ctx.addIssue({ code: 'custom', message: `'${value}' is no duration; write it like '30s', '5m' or '2h'` });
    return z.NEVER;
  }
  return parsed;
});

/** Milliseconds, or undefined when the text is no duration. */
export function parseDuration(text: string): number | undefined {
  if (!/^\d+(\.\d+)?\s*[a-z]*$/i.test(text.trim())) return undefined;
  const value = ms(text.trim() as StringValue);
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}
