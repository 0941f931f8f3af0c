import { messageOf } from '../errors';
import { CheckTimeoutError } from './check-timeout-error';
import {
  type ComponentState,
  type DampingPolicy,
  DEFAULT_DAMPING,
  initialState,
  observe,
} from './damping.pure';
import type { CheckSettings } from './options';
import type { ComponentChange, ComponentReport } from './report';

/** Longest reason in a report: an error's message is somebody else's text. */
const REASON_LIMIT = 300;

/** One component: runs its check, damps the results, remembers the changes. */
export class Component {
  private state: ComponentState;
  private readonly policy: DampingPolicy;
  private readonly history: ComponentChange[] = [];
  private reason: string | undefined;
  private lastMs: number | undefined;
  private startedAt = Number.NEGATIVE_INFINITY;
  private current: Promise<boolean> | undefined;
  /** A check was given up and has not settled since. */
  private hung = false;
  private checked = false;

  constructor(
    readonly settings: CheckSettings,
    private readonly historyLimit: number,
    now: number,
  ) {
    this.state = initialState(now);
    this.policy = { ...DEFAULT_DAMPING, failAfter: settings.failAfter, recoverAfter: settings.recoverAfter };
  }

  get up(): boolean {
    return this.state.up;
  }

  /** Not before its first check has answered: a process that has just started is not ready by assumption. */
  get ready(): boolean {
    return this.checked && this.state.up;
  }

  due(now: number): boolean {
    return now - this.startedAt >= this.settings.every;
  }

  /** Whoever asks while it runs gets the same result. @returns whether the check succeeded. */
  run(clock: () => number): Promise<boolean> {
    this.current ??= this.once(clock).finally(() => {
      this.current = undefined;
    });
    return this.current;
  }

  report(now: number): ComponentReport {
    const { name, kind, critical } = this.settings;
    return {
      name,
      kind,
      critical,
      up: this.state.up,
      forMs: Math.max(0, Math.round(now - this.state.since)),
      ...(this.reason === undefined ? {} : { reason: this.reason }),
      ...(this.lastMs === undefined ? {} : { lastMs: Math.round(this.lastMs) }),
      history: [...this.history],
    };
  }

  private async once(clock: () => number): Promise<boolean> {
    const now = clock();
    this.startedAt = now;
    const failure = this.hung ? this.overdue() : await this.attempt();
    this.lastMs = clock() - now;
    this.reason = failure === undefined ? undefined : messageOf(failure).slice(0, REASON_LIMIT);
    this.checked = true;
    const before = this.state;
    this.state = observe(before, failure === undefined, clock(), this.policy);
    if (this.state.up !== before.up) {
      this.history.push({ at: new Date().toISOString(), up: this.state.up, reason: this.reason });
      if (this.history.length > this.historyLimit) this.history.shift();
    }
    return failure === undefined;
  }

  private overdue(): Error {
    return new CheckTimeoutError(this.settings.name, this.settings.timeout);
  }

  private async attempt(): Promise<unknown> {
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    // In an async function a check that throws at once rejects like any other.
    const check = (async () => {
      await this.settings.check(abort.signal);
    })().finally(() => {
      this.hung = false;
    });
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = this.overdue();
        this.hung = true;
        abort.abort(error);
        reject(error);
      }, this.settings.timeout);
      timer.unref();
    });
    // It may still fail after it was given up.
    check.catch(() => undefined);
    try {
      await Promise.race([check, timeout]);
      return undefined;
    } catch (error) {
      return error ?? new Error('the check failed without saying why');
    } finally {
      clearTimeout(timer);
    }
  }
}
