import { hostTime } from '../../core/chaos/lease';

interface Outage {
  readonly from: number;
  /** Infinity while it lasts. */
  to: number;
}

/**
 * When the servers of a storm were away because somebody had killed them, by the time since boot. While a server is dead no fault
 * of it can be seen, and nobody can end one: that time is the death's, whichever lane it came from.
 */
const outages = new WeakMap<object, Outage[]>();

/** Called before the server is killed. @returns to be called when it is back */
export function outageBegins(server: object): () => void {
  const outage: Outage = { from: hostTime().uptimeMs, to: Number.POSITIVE_INFINITY };
  outages.set(server, [...(outages.get(server) ?? []), outage]);
  return () => {
    outage.to = hostTime().uptimeMs;
  };
}

/** Milliseconds of a span in which the server was away. */
export function awayMs(server: object | undefined, from: number, to: number): number {
  const known = server === undefined ? [] : (outages.get(server) ?? []);
  const spans = known
    .map((one) => ({ from: Math.max(one.from, from), to: Math.min(one.to, to) }))
    .filter((one) => one.to > one.from)
    .sort((a, b) => a.from - b.from);
  let [total, counted] = [0, from];
  for (const span of spans) {
    total += Math.max(0, span.to - Math.max(span.from, counted));
    counted = Math.max(counted, span.to);
  }
  return total;
}
