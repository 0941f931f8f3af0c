import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { withTimeLimit } from '../../core/time-limit';
import { standStill } from '../support/stand-still';
import { until } from '../support/until';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

test('a limit is kept although garbage is collected before its time', async () => {
  const caller = new AbortController();
  const reasons: unknown[] = [];
  for (let i = 0; i < 20; i += 1) {
    const bounded = withTimeLimit(caller.signal, 200);
    bounded.addEventListener('abort', () => reasons.push(bounded.reason));
  }
  // The signals have to be out of every register and stack slot.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  await until(() => reasons.length === 20, { what: 'every limit' });
  for (const reason of reasons) expect(reason).toMatchObject({ name: 'TimeoutError' });
});

test('a process that stood still is heard before its limit is over, and the limit comes all the same', async () => {
  const bounded = withTimeLimit(new AbortController().signal, 2_000);
  standStill(3_000);
  // Every timer that was due has fired by then.
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(bounded.aborted).toBe(false);
  await until(() => bounded.aborted, { what: 'the limit' });
  expect(bounded.reason).toMatchObject({ name: 'TimeoutError' });
});

test('the caller’s own reason comes through, at once', () => {
  const caller = new AbortController();
  const bounded = withTimeLimit(caller.signal, 60_000);
  expect(bounded.aborted).toBe(false);
  caller.abort('stop');
  expect(bounded.reason).toBe('stop');
  expect(withTimeLimit(caller.signal, 60_000).reason).toBe('stop');
});
