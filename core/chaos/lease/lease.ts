import { z } from 'zod';

/** Part of file names, application names and toxics, so of the plainest characters. */
export const leaseId = z.string().regex(/^f[0-9a-f]{12}$/);

/**
 * What is written down before a fault is injected: everything that ending it needs, and no command. `driver` and `target` are
 * names that the reader looks up in its own registry and its own allow-list; `parameters` and `saved` have the driver's types.
 */
export const faultLease = z.strictObject({
  version: z.literal(1),
  id: leaseId,
  /** The experiment's run, such as `chaos/database-slow/3`. */
  experiment: z.string().min(1).max(300),
  driver: z.string().min(1).max(64),
  target: z.string().min(1).max(64),
  parameters: z.record(z.string(), z.unknown()),
  /** What the inverse needs to know of how it was before; absent when the journal was lost and only the control plane knew. */
  saved: z.record(z.string(), z.unknown()).optional(),
  host: z.string(),
  bootId: z.string(),
  /** Milliseconds since the boot. */
  createdMs: z.number().int(),
  deadlineMs: z.number().int(),
  /** Over when nobody has renewed it for so long. */
  termMs: z.number().int().positive(),
  /** For people; nothing is decided by it. */
  until: z.string(),
});

export type FaultLease = z.output<typeof faultLease>;

/** How a fault came to its end; kept for reports. */
export interface EndedLease {
  readonly lease: FaultLease;
  readonly endedMs: number;
  readonly by: string;
  readonly reason: EndReason;
}

export type EndReason =
  | 'deadline'
  | 'not-renewed'
  | 'other-boot'
  | 'rolled-back'
  | 'aborted'
  | 'not-injected';
