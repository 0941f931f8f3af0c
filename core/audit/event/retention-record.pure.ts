import { z } from 'zod';

/** The action of an event by which a retention is decided; it is sealed in the log that it is about. */
export const RETENTION_ACTION = 'audit.retain';

/** What such an event says of the log that it stands in. */
export interface RetentionRecord {
  /** Entries below it may be gone. */
  readonly minimumIndex: number;
  readonly by: string;
  /** ISO 8601. */
  readonly at: string;
  readonly reason: string | undefined;
}

/** Canonical JSON has the action first, so that most entries are told by their bytes. */
export const RETENTION_BEGINNING = Buffer.from(`{"action":"${RETENTION_ACTION}",`);

const count = z.number().int().nonnegative();
const event = z.looseObject({
  actor: z.string(),
  at: z.string(),
  object: z.string(),
  reason: z.string().optional(),
  details: z.looseObject({ minimumIndex: count, personalBefore: count }),
});

/** @param origin of the log whose entry it is: a decision about another one says nothing here. */
export function retentionIn(entry: Buffer, origin: string): RetentionRecord | undefined {
  if (
    entry.length < RETENTION_BEGINNING.length ||
    entry.compare(RETENTION_BEGINNING, 0, RETENTION_BEGINNING.length, 0, RETENTION_BEGINNING.length) !== 0
  )
    return undefined;
  const parsed = event.safeParse(JSON.parse(entry.toString()));
  if (!parsed.success || parsed.data.object !== origin) return undefined;
  const { actor: by, at, reason, details } = parsed.data;
  return { minimumIndex: details.minimumIndex, by, at, reason };
}
