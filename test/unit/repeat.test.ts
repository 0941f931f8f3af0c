import { repeat } from '../../core/repeat';
import { until } from '../support/until';

/** A round that the test ends. */
function stepwise() {
  const ends: { readonly done: () => void; readonly failed: (error: Error) => void }[] = [];
  const round = () =>
    new Promise<void>((resolve, reject) => {
      ends.push({ done: resolve, failed: reject });
    });
  return { ends, round };
}

/** Long enough for several rounds of a millisecond: as many ticks of a timer like theirs. */
async function ticks(): Promise<void> {
  let seen = 0;
  const ticking = setInterval(() => {
    seen += 1;
  }, 1);
  await until(() => seen >= 5);
  clearInterval(ticking);
}

test('one round at a time: what falls into a running one joins it', async () => {
  const { ends, round } = stepwise();
  const rounds = repeat(1, round);
  rounds.start();
  const first = rounds.now();
  expect(rounds.now()).toBe(first);
  await ticks();
  expect(ends).toHaveLength(1);
  ends[0]?.done();
  await first;
  await until(() => ends.length === 2);
  ends[1]?.done();
  await rounds.stop();
});

test('a round that fails is told, and the next one is tried', async () => {
  const told: unknown[] = [];
  const { ends, round } = stepwise();
  const rounds = repeat(1, round, (error) => told.push(error));
  rounds.start('later');
  await until(() => ends.length === 1);
  ends[0]?.failed(new Error('away'));
  await until(() => ends.length === 2);
  expect(told).toEqual([new Error('away')]);
  ends[1]?.done();
  await rounds.stop();
});

test('stopping waits for the round that runs, and none comes after it', async () => {
  const { ends, round } = stepwise();
  const rounds = repeat(1, round);
  rounds.start();
  const order: string[] = [];
  const stopped = rounds.stop().then(() => order.push('stopped'));
  order.push('ended');
  ends[0]?.done();
  await stopped;
  expect(order).toEqual(['ended', 'stopped']);
  await ticks();
  expect(ends).toHaveLength(1);
});
