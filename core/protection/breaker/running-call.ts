import { NEVER } from '../abort';

/** Who is told how a call ended. */
export interface CallObserver {
  callSucceeded(epoch: number, startedAt: number): void;
  callFailed(epoch: number, startedAt: number, error: unknown, signal: AbortSignal): void;
}

const NOBODY: CallObserver = { callSucceeded: () => undefined, callFailed: () => undefined };

/** As many as are kept for the next calls; more calls at once than this make some anew. */
const MOST_FREE = 256;
const free: RunningCall[] = [];

/**
 * What a breaker has to remember of a call that runs, with the two callbacks for its promise. It is used again for
 * another call afterwards: two closures for each call cost 17 of the 170 ns that a call takes
 * (docs/decisions/breaker-hot-path.md). A promise settles once, so none is given back twice.
 */
export class RunningCall {
  private observer = NOBODY;
  private epoch = 0;
  private startedAt = 0;
  private signal = NEVER;

  static of(observer: CallObserver, epoch: number, startedAt: number, signal: AbortSignal): RunningCall {
    const call = free.pop() ?? new RunningCall();
    call.observer = observer;
    call.epoch = epoch;
    call.startedAt = startedAt;
    call.signal = signal;
    return call;
  }

  readonly succeeded = <T>(answer: T): T => {
    const { observer, epoch, startedAt } = this;
    this.giveBack();
    observer.callSucceeded(epoch, startedAt);
    return answer;
  };

  /** @throws the error that it is given */
  readonly failed = (error: unknown): never => {
    const { observer, epoch, startedAt, signal } = this;
    this.giveBack();
    observer.callFailed(epoch, startedAt, error, signal);
    throw error;
  };

  /** Without holding on to a breaker that its registry may drop. */
  private giveBack(): void {
    this.observer = NOBODY;
    this.signal = NEVER;
    if (free.length < MOST_FREE) free.push(this);
  }
}
