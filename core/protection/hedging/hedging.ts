import type { z } from 'zod';
import { hedgingOptions } from '../../../config';
import { begin, NEVER, untilAborted } from '../abort';
import { deadlineOf, setDeadline } from '../deadline';
import { LatencyHistogram } from '../latency-histogram';
import { monotonicMs } from '../monotonic-clock';
import { parseOptions } from '../parse-options';
import type { Policy, Protected } from '../policy';
import { RetryBudget } from '../retry/retry-budget';

export type HedgingOptions = z.input<typeof hedgingOptions> & {
  /** Hedges are calls that nobody asked for: they come out of the same budget as retries. */
  readonly budget?: RetryBudget;
};

/** Below this many observed calls a percentile says little. */
const MINIMUM_CALLS = 50;

/**
 * Makes the call again while the first one has not answered in the usual time, takes the first answer and aborts the
 * others. For idempotent calls only. Source: Dean and Barroso, "The Tail at Scale", 2013, hedged requests.
 */
export class Hedging implements Policy {
  private readonly options: z.output<typeof hedgingOptions>;
  private readonly budget: RetryBudget;
  private readonly observed = new LatencyHistogram();

  /** @throws InvalidInputError naming the option */
  constructor({ budget, ...options }: HedgingOptions) {
    this.options = parseOptions(hedgingOptions, options, 'Hedging');
    this.budget = budget ?? new RetryBudget();
  }

  /** @throws the first call's error when all failed; the signal's reason */
  async execute<T>(call: Protected<T>, signal: AbortSignal = NEVER): Promise<T> {
    signal.throwIfAborted();
    this.budget.deposit();
    const startedAt = monotonicMs();
    const race = new Race(call, signal);
    let timer: NodeJS.Timeout | undefined;
    const hedge = () => {
      if (race.tries < this.options.attempts && this.budget.withdraw()) {
        race.start();
        timer = setTimeout(hedge, this.waitMs());
      }
    };
    const onAbort = () => race.abortOthers(undefined, signal.reason);
    if (signal !== NEVER) signal.addEventListener('abort', onAbort, { once: true });
    try {
      race.start();
      timer = setTimeout(hedge, this.waitMs());
      const answer = await untilAborted(race.answer, signal);
      this.observed.observe(monotonicMs() - startedAt);
      return answer;
    } finally {
      clearTimeout(timer);
      if (signal !== NEVER) signal.removeEventListener('abort', onAbort);
    }
  }

  private waitMs(): number {
    const { after, percentile } = this.options;
    if (percentile === undefined || this.observed.observed < MINIMUM_CALLS) return after;
    return this.observed.percentile(percentile);
  }
}

/** The same call several times; the first answer counts, or the first error once all have failed. */
class Race<T> {
  readonly answer: Promise<T>;
  private readonly running = new Set<AbortController>();
  private readonly errors: unknown[] = [];
  private resolve: (answer: T) => void = () => {};
  private reject: (error: unknown) => void = () => {};
  tries = 0;

  constructor(
    private readonly call: Protected<T>,
    private readonly signal: AbortSignal,
  ) {
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  start(): void {
    const own = new AbortController();
    const deadline = deadlineOf(this.signal);
    if (deadline !== undefined) setDeadline(own.signal, deadline);
    this.tries += 1;
    this.running.add(own);
    begin(this.call, own.signal).then(
      (answer) => {
        this.resolve(answer);
        // Not its own: what it answered may still be read under that signal.
        this.abortOthers(own, new DOMException('Another try has answered.', 'AbortError'));
      },
      (error: unknown) => {
        this.errors.push(error);
        this.running.delete(own);
        if (this.running.size === 0) this.reject(this.errors[0]);
      },
    );
  }

  abortOthers(winner: AbortController | undefined, reason: unknown): void {
    for (const controller of this.running) if (controller !== winner) controller.abort(reason);
  }
}
