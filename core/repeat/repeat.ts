/** Something that is done again and again, one round at a time. */
export interface Repeated {
  /** A round; when one is under way, that one. Never rejects. */
  now(): Promise<void>;
  /** Begins with a round at once, or with the first one after the interval. The process may end in between. */
  start(first?: 'now' | 'later'): void;
  /** Resolves when a round that runs has ended. */
  stop(): Promise<void>;
}

/**
 * A round that fails is told, and the next one tries again: what is repeated has to outlive a database that is away.
 *
 * @param onError must not throw; `errorListener` makes one of somebody else's that cannot.
 * @param everyMs from the begin of a round to the begin of the next; one that falls into a running round is left out.
 */
export function repeat(
  everyMs: number,
  round: () => Promise<void>,
  onError: (error: unknown) => void = () => undefined,
): Repeated {
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const now = () => {
    running ??= round()
      .catch(onError)
      .finally(() => {
        running = undefined;
      });
    return running;
  };
  return {
    now,
    start: (first = 'now') => {
      if (first === 'now') void now();
      timer = setInterval(() => void now(), everyMs);
      timer.unref();
    },
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
