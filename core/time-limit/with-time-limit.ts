/** So many parts of a limit are counted one by one. */
const PARTS = 10;

/**
 * A signal that is aborted with `signal`, or with a TimeoutError when this process has had `ms` to run. While it stands still, with
 * its machine or for want of a processor, at most a tenth of the limit passes: what has answered meanwhile is heard.
 *
 * Not `AbortSignal.any([signal, AbortSignal.timeout(ms)])`: nothing holds the inner signal, and when it is collected before its
 * time the limit is gone with it (Node 20.20; test/unit/time-limit.test.ts).
 */
export function withTimeLimit(signal: AbortSignal, ms: number): AbortSignal {
  const limit = new AbortController();
  let passed = 0;
  // An interval that is late is not made up for.
  const timer = setInterval(() => {
    passed += 1;
    if (passed < PARTS && !signal.aborted) return;
    clearInterval(timer);
    limit.abort(new DOMException(`no end within ${ms} ms`, 'TimeoutError'));
  }, ms / PARTS);
  timer.unref();
  return AbortSignal.any([signal, limit.signal]);
}
