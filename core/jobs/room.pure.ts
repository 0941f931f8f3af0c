/**
 * Jobs handed over beyond the free slots, as a share of all slots: they are on their way through Temporal while a slot
 * gets free. What waits there cannot be reordered any more, so it is kept few: with 10 slots, three. Measured on the dev
 * server, where a job is on its way for about 0.1 s: with none, a tenth of the slots' time is lost to jobs of 0.4 s.
 */
const ON_THE_WAY = 0.3;

/** How many more jobs may be handed over now. */
export function roomFor(now: {
  /** Of all workers that live. */
  readonly slots: number;
  /** Handed over, not begun. */
  readonly handed: number;
  /** Handed over or running. */
  readonly inFlight: number;
  readonly handedLimit: number;
}): number {
  const wanted = now.slots + Math.ceil(now.slots * ON_THE_WAY) - now.inFlight;
  return Math.max(0, Math.min(wanted, now.handedLimit - now.handed));
}

/**
 * How many more jobs may be handed over that have to run alone. Each keeps a whole process for itself: at least half of the
 * processes stay with everybody else's work.
 */
export function roomForSuspects(processes: number, suspectsInFlight: number): number {
  return Math.max(0, Math.ceil(processes / 2) - suspectsInFlight);
}
