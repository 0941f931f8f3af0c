import type { GlobalMeter } from '../../core/rate-limit/global/global-meter.pure';
import { LeaseClient, type Statement } from '../../core/rate-limit/global/lease-client.pure';
import type { LeaseAnswer } from '../../core/rate-limit/global/leased-meter';
import { type Ledger, lease, type Member } from '../../core/rate-limit/global/ledger.pure';
import { type GlobalRule, slotAt, slotsOf } from '../../core/rate-limit/global/slots.pure';
import { MEMBER_TTL_MS } from '../../core/rate-limit/global/timing.pure';
import { WaitingRequests } from '../../core/rate-limit/global/waiting-requests';

/** Times are milliseconds; what is given "from, to" happens between the two. */
export interface Scenario {
  readonly seed: number;
  readonly rule: GlobalRule;
  readonly durationMs: number;
  /** Requests a millisecond of each process. */
  readonly load: readonly number[];
  /** How fast each process's clock runs: 1.0002 gains 0.2 ms a second. */
  readonly clockRates: readonly number[];
  /** Largest one-way delay to the database. */
  readonly delayMs: number;
  /** The whole database is away. */
  readonly lost?: readonly (readonly [from: number, to: number])[];
  /** One process cannot reach it. */
  readonly cut?: readonly { readonly process: number; readonly from: number; readonly to: number }[];
  /** The database's clock is set by so many milliseconds. */
  readonly clockSet?: { readonly at: number; readonly by: number };
  /** Killed with what it holds; another one takes its place after a second. */
  readonly kills?: readonly { readonly process: number; readonly at: number }[];
}

export interface Outcome {
  /** Admitted in each millisecond of the database's time. */
  readonly admitted: Float64Array;
  /**
   * The part of it that each process admitted by its own share before the database had seen it, and in the slot in which that happened:
   * nobody could keep the share free for a process that nobody knew (core/rate-limit/global/README.md).
   */
  readonly unknown: readonly Float64Array[];
  readonly asked: number;
  /** Statements that asked for tokens. */
  readonly leases: number;
}

const STEP_MS = 2;
const TIMEOUT_MS = 400;
/** Where the database's clock stands at the simulation's begin. */
const EPOCH = 1_000_000_000;

interface Process {
  readonly name: string;
  readonly client: LeaseClient;
  readonly meter: GlobalMeter;
  readonly waiting: WaitingRequests;
  readonly offset: number;
  readonly rate: number;
  readonly diesAt: number;
  readonly bornAt: number;
  readonly load: number;
  readonly index: number;
  readonly admittedUnknown: Float64Array;
  /** When the database first saw it. */
  firstSeen: number;
  owed: number;
}

/** Runs processes' lease clients against the pure ledger, with delays, losses and deaths, one step after the other. */
export function simulate(scenario: Scenario): Outcome {
  const { rule } = scenario;
  const random = generator(scenario.seed);
  const slots = slotsOf(rule);
  const admitted = new Float64Array(scenario.durationMs + STEP_MS);
  const members = new Map<string, Member>();
  let ledger: Ledger | undefined;
  let asked = 0;
  let leases = 0;
  let events: { readonly at: number; readonly run: () => void }[] = [];

  const processes = scenario.load.flatMap((load, index) => {
    const diesAt = scenario.kills?.find((kill) => kill.process === index)?.at ?? Number.POSITIVE_INFINITY;
    const make = (name: string, bornAt: number, dies: number): Process => {
      const client = new LeaseClient(TIMEOUT_MS);
      const meter = client.meter('k', rule);
      client.activate(meter);
      return {
        name,
        client,
        meter,
        waiting: new WaitingRequests(),
        offset: random() * 1e6,
        rate: scenario.clockRates[index] ?? 1,
        diesAt: dies,
        bornAt,
        load,
        index,
        admittedUnknown: new Float64Array(admitted.length),
        firstSeen: Number.POSITIVE_INFINITY,
        owed: 0,
      };
    };
    const first = make(`p${index}`, 0, diesAt);
    return Number.isFinite(diesAt)
      ? [first, make(`p${index}-again`, diesAt + 1_000, Number.POSITIVE_INFINITY)]
      : [first];
  });

  const reachable = (process: Process, at: number) =>
    !(scenario.lost ?? []).some(([from, to]) => at >= from && at < to) &&
    !(scenario.cut ?? []).some((cut) => cut.process === process.index && at >= cut.from && at < cut.to);

  const run = (process: Process, statement: Statement, sentTime: number): void => {
    const local = (at: number) => process.offset + at * process.rate;
    const call = process.client.send(statement, local(sentTime));
    if (statement.kind === 'lease') leases += 1;
    const arrives = sentTime + random() * scenario.delayMs;
    const returns = arrives + random() * scenario.delayMs;
    const givenUpAt = sentTime + TIMEOUT_MS;
    let finish: ((now: number) => void) | undefined;
    events.push({
      at: arrives,
      run: () => {
        if (!reachable(process, sentTime) || !reachable(process, arrives)) return;
        const set = scenario.clockSet;
        const at = EPOCH + arrives + (set !== undefined && arrives >= set.at ? set.by : 0);
        const late = at > call.deadline;
        for (const [name, member] of members) if (member.lastSeen < at - MEMBER_TTL_MS) members.delete(name);
        const known = members.get(process.name);
        if (!late && statement.kind !== 'probe') process.firstSeen = Math.min(process.firstSeen, at);
        switch (statement.kind) {
          case 'probe':
            finish = (now) => {
              const next = process.client.probed(call, now, at);
              if (next !== undefined) run(process, next, (now - process.offset) / process.rate);
            };
            break;
          case 'heartbeat': {
            const rejoinedAt = statement.rejoin ? at : (known?.rejoinedAt ?? Number.NEGATIVE_INFINITY);
            const joinedAt = known?.joinedAt ?? at;
            if (!late)
              members.set(process.name, { process: process.name, joinedAt, lastSeen: at, rejoinedAt });
            finish = (now) => process.client.beat(call, statement.rejoin, now, { at, late });
            break;
          }
          case 'lease': {
            if (!late)
              members.set(process.name, {
                process: process.name,
                joinedAt: known?.joinedAt ?? at,
                lastSeen: at,
                rejoinedAt: known?.rejoinedAt ?? Number.NEGATIVE_INFINITY,
              });
            const answer = lease(
              ledger,
              [...members.values()],
              {
                ...statement.wish,
                process: process.name,
                limit: process.meter.limit,
                slots,
                share: rule.localShare,
                deadline: call.deadline,
              },
              at,
            );
            ledger = answer.ledger;
            finish = (now) => process.client.leased(call, statement.meter, statement.wish, now, answer.grant);
            break;
          }
        }
      },
    });
    events.push({
      at: Math.min(returns, givenUpAt),
      run: () => {
        const now = local(Math.min(returns, givenUpAt));
        if (returns < givenUpAt && finish !== undefined && reachable(process, returns)) finish(now);
        else process.client.failed(call);
      },
    });
  };

  let time = 0;
  const admit = (process: Process, { reason }: LeaseAnswer) => {
    admitted[time] = (admitted[time] ?? 0) + 1;
    const unknown = slotAt(slots, EPOCH + time) <= slotAt(slots, process.firstSeen);
    if (unknown && reason === 'local-share')
      process.admittedUnknown[time] = (process.admittedUnknown[time] ?? 0) + 1;
  };
  for (; time < scenario.durationMs; time += STEP_MS) {
    const due = events.filter((event) => event.at <= time).sort((a, b) => a.at - b.at);
    events = events.filter((event) => event.at > time);
    for (const event of due) event.run();
    for (const process of processes) {
      if (time < process.bornAt || time >= process.diesAt) continue;
      const now = process.offset + time * process.rate;
      const decide = (cost: number, scale: number) => process.meter.decide(now, cost, scale);
      process.waiting.settle(now, 250, decide);
      process.owed += process.load * STEP_MS * (0.5 + random());
      for (; process.owed >= 1; process.owed -= 1) {
        asked += 1;
        process.meter.holder.wanted(1);
        const answer = process.waiting.cost === 0 ? decide(1, 1) : undefined;
        if (answer === undefined) {
          process.waiting.add({
            cost: 1,
            scale: 1,
            since: now,
            settle: (late) => late.allowed && admit(process, late),
          });
        } else if (answer.allowed) admit(process, answer);
      }
      for (const statement of process.client.due(now, () => process.waiting)) run(process, statement, time);
    }
  }
  return { admitted, unknown: processes.map((process) => process.admittedUnknown), asked, leases };
}

/** What the processes admitted that the database knew. */
export function byKnown({ admitted, unknown }: Outcome): Float64Array {
  return admitted.map((units, at) => unknown.reduce((left, part) => left - (part[at] ?? 0), units));
}

/** Most admitted in any window of the database's clock, as a share of the limit. */
export function mostInAlignedWindow(admitted: Float64Array, rule: GlobalRule): number {
  let most = 0;
  for (let begin = 0; begin < admitted.length; begin += rule.window)
    most = Math.max(most, sum(admitted, begin, begin + rule.window));
  return most / rule.limit;
}

/** Most admitted in any interval of the window's length. */
export function mostInAnyInterval(admitted: Float64Array, rule: GlobalRule): number {
  let inside = 0;
  let most = 0;
  for (let at = 0; at < admitted.length; at += 1) {
    inside += admitted[at] ?? 0;
    if (at >= rule.window) inside -= admitted[at - rule.window] ?? 0;
    most = Math.max(most, inside);
  }
  return most / rule.limit;
}

/** Most admitted in any interval, as a share of what a bucket holds and adds in it. */
export function mostFromBucket(admitted: Float64Array, { limit, window }: GlobalRule): number {
  // The least capacity with which a bucket of this rate would have let all of it pass.
  let missing = 0;
  let capacity = 0;
  for (const units of admitted) {
    missing = Math.max(0, missing + units - limit / window);
    capacity = Math.max(capacity, missing);
  }
  return capacity / limit;
}

export function sum(admitted: Float64Array, from: number, to: number): number {
  let total = 0;
  for (let at = from; at < Math.min(to, admitted.length); at += 1) total += admitted[at] ?? 0;
  return total;
}

/** mulberry32: small, seeded, good enough to shuffle events. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
