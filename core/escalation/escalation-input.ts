import { z } from 'zod';
import { InvalidInputError } from '../errors';
import type { EscalationInput } from './types';

const LONGEST_TEXT = 2_000;
const MOST_LABELS = 50;

const bounded = z.string().transform((text) => text.slice(0, LONGEST_TEXT));
const labels = z.record(z.string(), z.string()).transform(
  (all): Record<string, string> =>
    Object.fromEntries(
      Object.entries(all)
        .slice(0, MOST_LABELS)
        .map(([name, value]) => [name, value.slice(0, 300)]),
    ),
);

const input = z.strictObject({
  fingerprint: z.string().min(1).max(200),
  severity: z.string().min(1).max(50),
  summary: bounded.pipe(z.string().min(1)),
  description: bounded.optional(),
  runbook: bounded.optional(),
  labels,
  source: z.string().min(1).max(200),
});

/** @throws InvalidInputError */
export function parseEscalationInput(value: unknown): EscalationInput {
  const parsed = input.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InvalidInputError(`This is no alert: ${z.prettifyError(parsed.error)}`, {
    hint: 'Escalations are started by the receiver of Alertmanager’s webhook, or by `chronawflow escalation raise`.',
  });
}
