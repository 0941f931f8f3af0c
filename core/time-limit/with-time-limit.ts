/**
 * A signal that is aborted with `signal`, or with a TimeoutError after `ms`.
 *
 * Not `AbortSignal.any([signal, AbortSignal.timeout(ms)])`: nothing holds the inner signal, and when it is collected before its
 * time the limit is gone with it (Node 20.20; test/unit/time-limit.test.ts).
 */
export function withTimeLimit(signal: AbortSignal, ms: number): AbortSignal {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new DOMException(`no end within ${ms} ms`, 'TimeoutError')), ms);
  timer.unref();
  return AbortSignal.any([signal, limit.signal]);
}
