import { ChronawflowError } from '../../errors';
import { CallMetrics, type CallOutcome, type CallTarget } from '../../metrics';
import { traced } from '../../tracing';
import { begin, NEVER } from '../abort';
import { monotonicMs } from '../monotonic-clock';
import type { Policy, Protected } from '../policy';
import { TimeoutExceededError } from '../timeout';

/** A logger as pino is one. */
export interface CallLog {
  warn(fields: object, message: string): void;
}

/**
 * Counts and times what passes through it, outermost in a pipeline: answers, errors, timeouts (which are logged as
 * well) and refusals, by service and operation. Where the application has OpenTelemetry each call is a span.
 */
export class Measured implements Policy {
  private readonly target: CallTarget;
  private readonly span: ReturnType<typeof traced>;
  private readonly metrics: CallMetrics;
  private readonly log: CallLog | undefined;

  constructor(
    { service, operation }: CallTarget,
    parts: { readonly metrics?: CallMetrics; readonly log?: CallLog } = {},
  ) {
    this.target = { service, operation };
    this.span = traced(this.target);
    this.metrics = parts.metrics ?? new CallMetrics();
    this.log = parts.log;
    this.metrics.announce(this.target);
  }

  /** @throws what the call throws */
  execute<T>(call: Protected<T>, signal: AbortSignal = NEVER): Promise<T> {
    return this.span.execute(() => this.observed(call, signal));
  }

  private observed<T>(call: Protected<T>, signal: AbortSignal): Promise<T> {
    const startedAt = monotonicMs();
    return begin(call, signal).then(
      (answer) => {
        this.ended('ok', startedAt);
        return answer;
      },
      (error: unknown) => {
        const outcome = outcomeOf(error);
        if (outcome === 'timeout') this.log?.warn({ ...this.target, err: error }, 'a call timed out');
        // Who gave up by himself says nothing about the service.
        if (!signal.aborted || outcome === 'timeout') this.ended(outcome, startedAt);
        throw error;
      },
    );
  }

  private ended(outcome: CallOutcome, startedAt: number): void {
    this.metrics.ended(this.target, outcome, (monotonicMs() - startedAt) / 1_000);
  }
}

function outcomeOf(error: unknown): CallOutcome {
  // Also of what is no RefusalError, such as a reached rate limit: the call was not made.
  if (error instanceof ChronawflowError && error.kind === 'refused') return 'rejected';
  return error instanceof TimeoutExceededError ? 'timeout' : 'error';
}
