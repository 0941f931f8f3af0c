import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterLoss } from '../../core/jobs/after-loss.pure';
import { type Candidate, pickFairly, type Shares } from '../../core/jobs/pick-fairly.pure';
import { roomForSuspects } from '../../core/jobs/room.pure';
import { RunGate } from '../../core/jobs/run-gate';

test('only losses alone count, in a row, and as many as the limit hold a job back (invariant 12)', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 20 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 2, max: 9 }),
      (losses, limit, maxAttempts) => {
        let lostAlone = 0;
        let alones = 0;
        for (const alone of losses) {
          const next = afterLoss({ maxAttempts }, { attempt: 1, alone, lostAlone }, limit);
          if (alone) alones += 1;
          expect(next.kind).toBe(alone && alones >= limit ? 'quarantine' : 'again');
          if (next.kind !== 'again') return;
          lostAlone = next.lostAlone;
          expect(lostAlone).toBe(alones);
        }
      },
    ),
  );
});

test('a job that may run only once is not run again when its process died', () => {
  expect(afterLoss({ maxAttempts: 1 }, { attempt: 1, alone: false, lostAlone: 0 }, 3)).toEqual({
    kind: 'dead',
    reason: 'ATTEMPTS_EXHAUSTED',
  });
});

test('suspects get at most half of the processes, and always one when there is any', () => {
  fc.assert(
    fc.property(fc.nat({ max: 50 }), fc.nat({ max: 50 }), (processes, inFlight) => {
      const room = roomForSuspects(processes, inFlight);
      expect(room).toBeGreaterThanOrEqual(0);
      if (room > 0) expect(inFlight + room).toBeLessThanOrEqual((processes + 1) / 2);
      if (processes > 0 && inFlight === 0) expect(room).toBeGreaterThan(0);
    }),
  );
});

const open: Shares = {
  ageingMs: 60_000,
  tenantCap: () => 99,
  typeCap: () => 99,
  tenantTypeCap: () => 99,
  weight: () => 1,
};

test('no more suspects are picked than have a process, and they keep nobody else out', () => {
  const candidate = fc.record({ tenant: fc.constantFrom('a', 'b'), suspect: fc.boolean() });
  fc.assert(
    fc.property(fc.array(candidate, { maxLength: 30 }), fc.nat({ max: 4 }), (list, roomAlone) => {
      const waiting = list.map(
        (one, seq): Candidate => ({ ...one, type: 'x', key: `k${seq}`, seq, priority: 3, waitedMs: 0 }),
      );
      const picked = pickFairly(waiting, [], open, { jobs: 100, suspects: roomAlone });
      const suspects = waiting.filter((one) => one.suspect).length;
      expect(picked.filter((one) => one.suspect)).toHaveLength(Math.min(suspects, roomAlone));
      expect(picked.filter((one) => !one.suspect)).toHaveLength(waiting.length - suspects);
    }),
  );
});

test('whatever comes and goes, one that has to be alone is alone, and everybody gets in (invariant 12)', async () => {
  const stay = fc.record({
    alone: fc.boolean(),
    turns: fc.nat({ max: 3 }),
    givesUp: fc.option(fc.nat({ max: 3 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(stay, { maxLength: 12 }), async (stays) => {
      const gate = new RunGate();
      let inside = 0;
      let alone = false;
      await Promise.all(
        stays.map(async (one) => {
          const signal = new AbortController();
          if (one.givesUp !== null) void turns(one.givesUp).then(() => signal.abort());
          const entered = one.alone ? gate.enterAlone(signal.signal) : gate.enter(signal.signal);
          const leave = await entered.catch(() => undefined);
          if (leave === undefined) return expect(signal.signal.aborted).toBe(true);
          inside += 1;
          expect(alone).toBe(false);
          if (one.alone) expect(inside).toBe(1);
          alone = one.alone;
          await turns(one.turns);
          inside -= 1;
          if (one.alone) alone = false;
          leave();
          leave();
        }),
      );
      expect(inside).toBe(0);
      // Nothing is left behind: the next one gets in at once.
      (await gate.enterAlone(new AbortController().signal))();
    }),
  );
});

test('who comes after one that waits to be alone waits behind it', async () => {
  const gate = new RunGate();
  const never = new AbortController().signal;
  const order: string[] = [];
  const leave = await gate.enter(never);
  const alone = gate.enterAlone(never).then((go) => {
    order.push('alone');
    return go;
  });
  const later = gate.enter(never).then(() => order.push('later'));
  await sleep(0);
  expect(order).toEqual([]);
  leave();
  (await alone)();
  await later;
  expect(order).toEqual(['alone', 'later']);
});

async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await new Promise((resolve) => setImmediate(resolve));
}
