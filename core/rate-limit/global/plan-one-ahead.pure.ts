import { type LeaseWish, type Situation, wish } from './lease-wish.pure';

/** A lease covers the demand of so long. */
export const HORIZON_MS = 2_000;
/** More is asked for when what is held lasts no longer than this: an answer takes a few milliseconds. */
const LOW_WATER_MS = 120;
/** The next slot's first tokens are asked for so long before it begins, or in the last quarter of a short slot. */
const AHEAD_MS = 400;
/** Less is expected some two seconds after the last request: then the others may have all of a small limit. */
const IDLE_UNITS = 0.01;
/** Nearer to the slot's end it is not worth a statement to ask again or to give back. */
export const WORTHWHILE_MS = 1_000;

/** For slots of a second and more: batches within the slot as they are used up, and the next slot's first tokens in time. */
export function planOneAhead(now: Situation): LeaseWish | undefined {
  const { slots, slot, left, rate, waiting } = now;
  const held = now.held(slot);
  const need = waiting + rate * Math.min(HORIZON_MS, left) - held;
  const low = waiting > 0 || held < rate * Math.min(LOW_WATER_MS, left);
  const wantNow = low && now.worthAsking && need > 0 ? Math.ceil(need) : 0;
  const inTime = left < Math.min(AHEAD_MS, slots.slotMs / 4) && now.askedUntil <= slot;
  const wantNext = inTime ? wantedNext(rate, slots.slotMs) : 0;
  const back = surplus(now);
  if (wantNow === 0 && wantNext === 0 && back.returned.length === 0) return undefined;
  const needNow = wantNow === 0 ? 0 : Math.max(0, now.next - held);
  return wish(wantNow, { needNow, wantAhead: wantNext === 0 ? [] : [wantNext], ...back });
}

/** Nothing for a key so quiet that its tokens would mostly be left over. */
function wantedNext(rate: number, slotMs: number): number {
  const expected = rate * Math.min(HORIZON_MS, slotMs);
  return expected < 1 ? 0 : Math.ceil(expected);
}

/** What the demand has left behind: of a slot that is over, unless its window is too, or far more than is needed of this one. */
function surplus({
  slots,
  slot,
  left,
  rate,
  waiting,
  held,
}: Situation): Pick<LeaseWish, 'returnFirst' | 'returned'> {
  const before = Math.floor(held(slot - 1));
  if (slots.back > 0 && before >= 1) return { returnFirst: slot - 1, returned: [before] };
  const expected = rate * HORIZON_MS;
  const kept = expected < IDLE_UNITS ? 0 : 1.25 * expected + 1;
  const excess = Math.floor(held(slot) - waiting - kept);
  // Near the slot's end nobody could use it any more.
  return { returnFirst: slot, returned: left > WORTHWHILE_MS && excess > 0 ? [excess] : [] };
}
