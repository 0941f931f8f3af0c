import type { Logger } from 'pino';

/** Something that is done again and again, one round at a time. */
export interface Repeated {
  start(): void;
  /** Resolves when a round that runs has ended. */
  stop(): Promise<void>;
}

/** A round that fails is logged; the next one tries again. */
export function repeat(everyMs: number, log: Logger, what: string, round: () => Promise<void>): Repeated {
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const once = () => {
    running ??= round()
      .catch((err: unknown) => log.warn({ err }, `${what} failed; the next round tries again`))
      .finally(() => {
        running = undefined;
      });
  };
  return {
    start: () => {
      once();
      timer = setInterval(once, everyMs);
      timer.unref();
    },
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
