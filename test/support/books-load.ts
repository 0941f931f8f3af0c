import { Agent, request } from 'node:http';
import { RunningClock } from './running-clock';

/** An open load: requests come at their times, however long the ones before take. */
export interface BooksLoad {
  /**
   * Requests of both kinds that ended since the last call. Those during which this process stood still are left out: nobody knows how
   * long they took.
   */
  take(): { readonly core: Served; readonly reports: Served };
  /** Goes on until this process has run for so long. */
  run(ms: number): Promise<void>;
  stop(): Promise<void>;
}

export interface Served {
  readonly asked: number;
  readonly answered: number;
}

const FEATURES = ['post-entry', 'take-payment', 'sign-in'] as const;

/** Per second, over all web processes: a load that two cores carry beside everything else. */
const CORE_EVERY_MS = 40;
const REPORT_EVERY_MS = 60;

/** A user has gone by then. */
const PATIENCE_MS = 2_000;

export function startBooksLoad(ports: readonly number[]): BooksLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: 400 });
  const counts = { core: { asked: 0, answered: 0 }, reports: { asked: 0, answered: 0 } };
  const running = new Set<Promise<void>>();
  const clock = new RunningClock();
  let nth = 0;
  const ask = (kind: keyof typeof counts, method: string, path: string) => {
    nth += 1;
    const port = ports[nth % ports.length];
    const stops = clock.stopsSoFar();
    const one = answered(agent, { port, method, path }).then((ok) => {
      if (clock.stopsSoFar() > stops) return;
      counts[kind].asked += 1;
      if (ok) counts[kind].answered += 1;
    });
    running.add(one);
    void one.finally(() => running.delete(one));
  };
  const timers = [
    setInterval(() => ask('core', 'POST', `/${FEATURES[nth % FEATURES.length]}`), CORE_EVERY_MS),
    setInterval(() => ask('reports', 'GET', '/reports'), REPORT_EVERY_MS),
  ];
  return {
    take: () => {
      const taken = { core: { ...counts.core }, reports: { ...counts.reports } };
      for (const kind of ['core', 'reports'] as const) {
        counts[kind].asked = 0;
        counts[kind].answered = 0;
      }
      return taken;
    },
    run: (ms) => clock.run(ms),
    stop: async () => {
      clock.stop();
      for (const timer of timers) clearInterval(timer);
      await Promise.all(running);
      agent.destroy();
    },
  };
}

function answered(
  agent: Agent,
  { port, method, path }: { port: number | undefined; method: string; path: string },
): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request(
      { host: '127.0.0.1', port, method, path, agent, timeout: PATIENCE_MS },
      (response) => {
        response.resume();
        response.once('end', () => resolve((response.statusCode ?? 500) < 500));
        response.once('error', () => resolve(false));
      },
    );
    // Counted from the beginning: `timeout` alone is of idle time.
    const limit = setTimeout(() => sent.destroy(new Error('too late')), PATIENCE_MS);
    sent.once('close', () => clearTimeout(limit));
    sent.once('error', () => resolve(false));
    sent.end();
  });
}
