import { type LeaseWish, type Situation, wish } from './lease-wish.pure';

/** A request may wait for a token of a slot that begins this soon; only then is a statement worth it. */
const SOON_MS = 120;
/** Slots are asked for again when what was asked for ends this soon. With a second asked for, that is 1.7 statements a second. */
const RENEW_MS = 400;
/** Demand varies from slot to slot; what is left over comes back. */
const MARGIN = 1.1;
/** Without other business left-over tokens are given back after this. */
const GIVE_BACK_MS = 1_000;
/** The n-th slot's share of the demand is told from the slot's number, modulo this, so that each plan gives it the same. */
const CYCLE = 2 ** 20;

/** For slots of less than a second: tokens for all slots of the next second at once, about twice in that time. */
export function planManyAhead(now: Situation): LeaseWish | undefined {
  const { slots, slot, left, rate, waiting, held } = now;
  // Below that a token for each of many slots would mostly be left over: it is asked for when it is wanted.
  const steady = rate * SOON_MS >= 1;
  const soon = Array.from({ length: 1 + Math.ceil(SOON_MS / slots.slotMs) }, (_, k) => held(slot + k));
  const covered = sum(soon) >= waiting && Math.max(...soon) >= now.next;
  const urgent = waiting > 0 && !covered && now.worthAsking;
  const due = steady && (now.askedUntil - slot) * slots.slotMs <= RENEW_MS;
  const back = leftOver(now);
  if (!urgent && !due && !(back.returned.length > 0 && now.sinceAsked >= GIVE_BACK_MS)) return undefined;
  const needNow = urgent ? Math.max(0, now.next - held(slot)) : 0;
  if (!steady) return wish(urgent ? Math.max(needNow, waiting - sum(soon)) : 0, { needNow, ...back });
  const wantNow = Math.max(0, waiting + rate * left - held(slot));
  const perSlot = rate * slots.slotMs * MARGIN;
  const wantAhead = Array.from({ length: slots.ahead }, (_, k) =>
    Math.max(0, quota(slot + 1 + k, perSlot) - held(slot + 1 + k)),
  );
  return wish(wantNow, { needNow, wantAhead, ...back });
}

/** Whole tokens whose sum over many slots is right: a share below 1 is a token in some of them. */
function quota(slot: number, perSlot: number): number {
  const n = slot % CYCLE;
  return Math.floor((n + 1) * perSlot) - Math.floor(n * perSlot);
}

function sum(tokens: readonly number[]): number {
  return tokens.reduce((total, one) => total + one, 0);
}

/** What slots that are over leave: others can still use it. */
function leftOver({ slots, slot, held }: Situation): Pick<LeaseWish, 'returnFirst' | 'returned'> {
  const returnFirst = slot - slots.ahead - 1;
  const returned = Array.from({ length: slots.ahead + 1 }, (_, k) => Math.floor(held(returnFirst + k)));
  while (returned.at(-1) === 0) returned.pop();
  return { returnFirst, returned };
}
