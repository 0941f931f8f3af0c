import type { Slots } from './slots.pure';
import { AHEAD_SHARE, MEMBER_TTL_MS, SILENCE_MS } from './timing.pure';

/** One key's row: what was granted for each slot from `first` on, `back` slots before the newest and those ahead. */
export interface Ledger {
  readonly slotMs: number;
  readonly back: number;
  readonly first: number;
  readonly granted: readonly number[];
  /** What a bucket held when the slot `first` began. */
  readonly level: number | undefined;
  /** Statements in the current and in the previous second. */
  readonly second: number;
  readonly asked: number;
  readonly askedBefore: number;
}

/** One process's row; times of the database in milliseconds. */
export interface Member {
  readonly process: string;
  readonly joinedAt: number;
  readonly lastSeen: number;
  /** It decided by its own share until then. */
  readonly rejoinedAt: number;
}

export interface LeaseRequest {
  readonly process: string;
  readonly limit: number;
  readonly slots: Slots;
  readonly share: number;
  readonly wantNow: number;
  /** Fewer than these help nobody: then none. */
  readonly needNow: number;
  /** For each slot after the current one. */
  readonly wantAhead: readonly number[];
  /** Tokens of the slots from `returnFirst` on come back unspent. */
  readonly returnFirst: number;
  readonly returned: readonly number[];
  /** By the database's clock; a statement that arrives later changes nothing. */
  readonly deadline: number;
}

export interface LeaseGrant {
  readonly at: number;
  readonly late: boolean;
  readonly slot: number;
  readonly now: number;
  readonly ahead: readonly number[];
  /** What can still be had for the current slot. */
  readonly left: number;
  /** Statements on this key in the last whole second. */
  readonly asked: number;
}

/**
 * The decision of `chronawflow.rate_grant` as a pure function: the model for the simulation, and held equal to the
 * function in the database by a property test. `members` are those that the statement sees, the asking one included.
 */
export function lease(
  before: Ledger | undefined,
  members: readonly Member[],
  request: LeaseRequest,
  at: number,
): { readonly ledger: Ledger | undefined; readonly grant: LeaseGrant } {
  const { slots, wantAhead } = request;
  const { slotMs, back } = slots;
  const slot = Math.floor(at / slotMs);
  if (at > request.deadline) {
    return { ledger: before, grant: { at, late: true, slot, now: 0, ahead: [], left: 0, asked: 0 } };
  }
  const living = members.filter((member) => member.lastSeen > at - MEMBER_TTL_MS);
  const open = reservations(living, request, slot).map((reserved) => 1 - reserved);
  const { granted, level } = carry(before, request, slot, open[0] ?? 0);
  giveBack(granted, request, slot - back);

  const rooms =
    level === undefined ? windowRooms(granted, request, open) : bucketRooms(granted, level, request, open);
  const openNow = Math.max(0, rooms[0] ?? 0);
  const now = openNow < request.needNow ? 0 : Math.min(request.wantNow, openNow);
  granted[back] = (granted[back] ?? 0) + now;
  // What is granted for a slot is missing in the later ones, unless each is a window of its own.
  const shared = back > 0;
  let taken = shared ? now : 0;
  const ahead: number[] = [];
  for (const [k, wanted] of wantAhead.entries()) {
    const room = Math.max(0, (rooms[k + 1] ?? 0) - taken);
    const tokens = Math.min(wanted, Math.floor(room * AHEAD_SHARE));
    granted[back + 1 + k] = (granted[back + 1 + k] ?? 0) + tokens;
    ahead.push(tokens);
    if (shared) taken += tokens;
  }

  const second = Math.floor(at / 1_000);
  const age = before === undefined ? 2 : second - before.second;
  const asked = age === 0 ? (before?.asked ?? 0) : 0;
  const askedBefore = age === 0 ? (before?.askedBefore ?? 0) : age === 1 ? (before?.asked ?? 0) : 0;
  return {
    ledger: { slotMs, back, first: slot - back, granted, level, second, asked: asked + 1, askedBefore },
    grant: { at, late: false, slot, now, ahead, left: openNow - now, asked: askedBefore },
  };
}

/**
 * For each slot from `first` on, the share of the limit that is kept free for processes that may be deciding by their own: theirs, as
 * far as those that are connected keep their shares. Of two processes of which one may have taken the other's place, one counts as connected.
 */
function reservations(
  living: readonly Member[],
  { slots, share }: LeaseRequest,
  first: number,
): readonly number[] {
  const decidesAlone = ({ lastSeen, rejoinedAt }: Member, slot: number) =>
    slot > Math.floor((lastSeen + SILENCE_MS) / slots.slotMs) ||
    slot <= Math.floor(rejoinedAt / slots.slotMs) + slots.memory;
  const connected = living.filter((member) => !decidesAlone(member, first));
  const places = mostAtOnce(connected);
  return Array.from({ length: slots.ahead + 1 }, (_, j) => {
    const alone = living.filter((member) => decidesAlone(member, first + j)).length;
    const left = places - connected.filter((member) => decidesAlone(member, first + j)).length;
    return Math.min(alone * share, Math.max(0, 1 - Math.max(0, left) * share));
  });
}

/** How many members were there at the same time: none of these has taken another's place. */
export function mostAtOnce(members: readonly Pick<Member, 'joinedAt' | 'lastSeen'>[]): number {
  const changes = members
    .flatMap(({ joinedAt, lastSeen }) => [
      { at: joinedAt, change: 1 },
      { at: lastSeen, change: -1 },
    ])
    .sort((a, b) => a.at - b.at || b.change - a.change);
  let there = 0;
  let most = 0;
  for (const { change } of changes) {
    there += change;
    most = Math.max(most, there);
  }
  return most;
}

/**
 * What can be granted for each slot from the current one on: the fullest window that it is in decides. The share that is kept
 * free is that of the slot itself: whoever decides by its own share does so a window after the others began to keep it free.
 */
function windowRooms(
  granted: readonly number[],
  { limit, slots: { back } }: LeaseRequest,
  open: readonly number[],
): number[] {
  const used = open.map((_, j) => granted.slice(j, j + back + 1).reduce((sum, one) => sum + one, 0));
  return open.map((share, j) =>
    Math.floor(limit * share - (back > 0 ? Math.max(...used.slice(j)) : (used[j] ?? 0))),
  );
}

/** The same of a bucket: what it holds then, as far as no later slot needs it that has it already. */
function bucketRooms(
  granted: readonly number[],
  level: number,
  { limit, slots: { back, refill = 0 } }: LeaseRequest,
  open: readonly number[],
): number[] {
  let held = level;
  const left: number[] = [];
  /** What the bucket had no room for when the slot began. */
  const overflow: number[] = [];
  for (const [index, tokens] of granted.entries()) {
    const share = open[Math.max(0, index - back)] ?? 0;
    let over = 0;
    if (index > 0) {
      const filled = held - (granted[index - 1] ?? 0) + limit * refill * share;
      held = Math.min(limit * share, filled);
      over = filled - held;
    }
    if (index < back) continue;
    left.push(held - tokens);
    overflow.push(over);
  }
  for (let j = left.length - 2; j >= 0; j -= 1) {
    left[j] = Math.min(left[j] ?? 0, (left[j + 1] ?? 0) + (overflow[j + 1] ?? 0));
  }
  return left.map(Math.floor);
}

function giveBack(granted: number[], { returnFirst, returned }: LeaseRequest, first: number): void {
  for (const [index, tokens] of returned.entries()) {
    const at = returnFirst - first + index;
    const held = granted[at];
    if (held !== undefined) granted[at] = Math.max(0, held - tokens);
  }
}

/**
 * What counts in the slots from `slot - back` on, and a bucket's level at the begin of the first of them. When the rule was configured
 * anew, or the database's clock was set back, slots do not line up: then everything that was granted counts in the
 * current one.
 */
function carry(
  before: Ledger | undefined,
  { limit, slots }: LeaseRequest,
  slot: number,
  open: number,
): { readonly granted: number[]; readonly level: number | undefined } {
  const { slotMs, back, ahead, refill } = slots;
  const full = refill === undefined ? undefined : limit * open;
  const granted = new Array<number>(back + 1 + ahead).fill(0);
  if (before === undefined) return { granted, level: full };
  const newest = before.first + before.back;
  const other = before.slotMs !== slotMs || before.back !== back;
  if (other || slot < newest || (before.level === undefined) !== (full === undefined)) {
    const sum = before.granted.reduce((total, one) => total + one, 0);
    // A bucket is empty then at the most: it does not have to work off what a long window has granted.
    granted[back] = Math.min(sum, full ?? sum);
    return { granted, level: full };
  }
  const carried = granted.map((_, index) => before.granted[slot - back + index - before.first] ?? 0);
  if (refill === undefined || full === undefined || before.level === undefined)
    return { granted: carried, level: undefined };
  let { level } = before;
  const passed = slot - newest;
  const counted = Math.min(passed, before.granted.length);
  for (let j = 0; j < counted; j += 1) {
    level = Math.min(full, level - (before.granted[j] ?? 0) + limit * refill * open);
  }
  return { granted: carried, level: Math.min(full, level + (passed - counted) * (limit * refill * open)) };
}
