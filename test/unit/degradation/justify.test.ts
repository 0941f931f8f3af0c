import fc from 'fast-check';
import { decideFrom, INITIAL_STATE } from '../../../core/degradation/decide.pure';
import {
  calledFor,
  evidenceOf,
  KEPT,
  REFUSES_WRITES,
  TAKES_WRITES,
} from '../../../core/degradation/evidence.pure';
import { justify, type Standing } from '../../../core/degradation/justify.pure';
import type { LevelState, Readings } from '../../../core/degradation/types';
import { MOST_VERSIONS_LEFT_OUT } from '../../../core/degradation/versions.pure';
import { BOOKS, policyWith } from '../../support/degradation-policy';

/** core/degradation/README.md, invariant 13. */

const policy = policyWith(BOOKS);
const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

function standing(change: Partial<Standing> = {}): Standing {
  const rank = change.rank ?? 0;
  return {
    version: 7,
    level: policy.levels[rank]?.name ?? '',
    rank,
    since: NOW - 10 * HOUR,
    override: undefined,
    readOnly: undefined,
    evidence: {},
    recoveredAt: [],
    now: NOW,
    ...change,
  };
}

const wanted = (change: Partial<LevelState>) => ({ rank: 0, version: 8, ...change });
const ada = { by: 'ada', reason: 'the probe lies' };
const set = { kind: 'set', level: 'limited', forMs: HOUR, reason: ada.reason } as const;

test('an escalation follows from a look that has seen its signal, and from nothing else', () => {
  const escalation = wanted({ rank: 2 });
  expect(justify(policy, standing(), escalation, undefined)).toMatchObject({ kind: 'by-hand' });
  const called = (level: string, ago: number) =>
    justify(policy, standing({ evidence: { [calledFor(level)]: NOW - ago } }), escalation, undefined).kind;
  expect(called('limited', 1_000)).toBe('seen');
  expect(called('core-only', 1_000)).toBe('seen');
  expect(called('reduced', 1_000)).toBe('by-hand');
  expect(called('limited', HOUR)).toBe('by-hand');
});

test('a level is left one by one, when its dwell is over and nothing has kept it', () => {
  const back = (from: Partial<Standing>, rank = 1) =>
    justify(policy, standing({ rank: 2, ...from }), wanted({ rank }), undefined);
  expect(back({})).toEqual({ kind: 'seen' });
  expect(back({}, 0)).toMatchObject({ kind: 'by-hand' });
  expect(back({ since: NOW - 1_000 })).toEqual({ kind: 'early', inMs: policy.dwellMs - 1_000 });
  expect(back({ evidence: { [KEPT]: NOW - 2_000 } })).toEqual({
    kind: 'early',
    inMs: policy.dwellMs - 2_000,
  });
});

test('what a person has set stays until its time is over or he gives it back', () => {
  const override = { rank: 2, ...ada, until: NOW + HOUR };
  const held = standing({ rank: 2, override });
  const kept = wanted({ rank: 2 });
  expect(justify(policy, held, kept, undefined)).toMatchObject({ kind: 'by-hand' });
  expect(justify(policy, held, kept, { kind: 'release', reason: 'done' })).toEqual({ kind: 'seen' });
  expect(justify(policy, { ...held, now: override.until }, kept, undefined)).toEqual({ kind: 'seen' });
  // Nobody else's change comes along with it.
  expect(justify(policy, held, { ...kept, rank: 3 }, { kind: 'release', reason: 'done' })).toMatchObject({
    kind: 'by-hand',
  });
});

test('what a person sets is exactly what he has said', () => {
  const override = { rank: 2, ...ada, until: NOW + HOUR };
  const given = (change: object, act = set) =>
    justify(policy, standing(), wanted({ rank: 2, override: { ...override, ...change } }), act).kind;
  expect(given({})).toBe('seen');
  expect(given({ until: NOW + 3 * HOUR })).toBe('by-hand');
  expect(given({ reason: 'another' })).toBe('by-hand');
  expect(given({ rank: 3 })).toBe('by-hand');
  expect(justify(policy, standing(), wanted({ rank: 2, override }), undefined).kind).toBe('by-hand');
  const readOnly = { ...ada, until: NOW + HOUR };
  expect(justify(policy, standing(), wanted({ rank: 2, override, readOnly }), set).kind).toBe('by-hand');
});

test('writes are refused by the database as a look has seen it, and taken again likewise', () => {
  const readOnly = { by: 'database', reason: 'the database refuses writes' };
  const refusing = (evidence: Standing['evidence']) =>
    justify(policy, standing({ evidence }), wanted({ readOnly }), undefined).kind;
  expect(refusing({})).toBe('by-hand');
  expect(refusing({ [REFUSES_WRITES]: NOW - 1_000 })).toBe('seen');
  const taking = (evidence: Standing['evidence']) =>
    justify(policy, standing({ readOnly, evidence }), wanted({}), undefined).kind;
  expect(taking({})).toBe('by-hand');
  expect(taking({ [TAKES_WRITES]: NOW - 1_000 })).toBe('seen');
  const byHand = standing({ readOnly: { ...ada, until: NOW + HOUR } });
  expect(justify(policy, byHand, wanted({}), undefined).kind).toBe('by-hand');
  expect(justify(policy, byHand, wanted({}), { kind: 'writable', reason: 'done' }).kind).toBe('seen');
});

test('a version far beyond what stands is nobody’s', () => {
  const far = wanted({ version: 8 + MOST_VERSIONS_LEFT_OUT });
  expect(justify(policy, standing(), far, undefined).kind).toBe('by-hand');
});

test('whatever a controller decides by itself follows from what its looks have kept', () => {
  const reading = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined });
  const look = fc.record({
    'error-rate': reading,
    latency: fc.option(fc.double({ min: 0, max: 5_000, noNaN: true }), { nil: undefined }),
    'read-only': fc.constantFrom(0, 1, undefined),
    pausedMs: fc.constantFrom(0, 0, 0, 60_000),
  });
  fc.assert(
    fc.property(fc.array(look, { maxLength: 300 }), (looks) => {
      let state: LevelState = INITIAL_STATE;
      let stands = standing({ version: 0, since: NOW, now: NOW });
      for (const { pausedMs, ...seen } of looks) {
        const now = stands.now + policy.intervalMs + pausedMs;
        const readings: Readings = Object.fromEntries(
          Object.entries(seen).flatMap(([signal, value]) =>
            value === undefined ? [] : [[signal, { value, instances: 1 }]],
          ),
        );
        const noted = evidenceOf(policy, state, readings).map((what) => [what, now] as const);
        stands = { ...stands, now, evidence: { ...stands.evidence, ...Object.fromEntries(noted) } };
        const { state: next, transition } = decideFrom(policy, state, readings, now);
        state = next;
        if (transition === undefined) continue;
        const { rank, version, override, readOnly } = next;
        expect(justify(policy, stands, next, undefined)).toEqual({ kind: 'seen' });
        const since = rank === stands.rank ? stands.since : now;
        stands = {
          ...stands,
          rank,
          level: policy.levels[rank]?.name ?? '',
          version,
          override,
          readOnly,
          since,
        };
      }
    }),
    { numRuns: 200 },
  );
});
