import { disturbanceOf } from '../injection-points';
import { NEVER } from './abort';
import type { BreakerKey, BreakerRegistry } from './breaker';
import { type CallLog, Measured } from './observe';
import { pipeline } from './pipeline';
import type { Policy, Protected } from './policy';
import { Timeout, type TimeoutOptions } from './timeout';

export interface ProtectedCallsOptions {
  readonly breakers: BreakerRegistry;
  /** Of each call; default 30 s. What is left of the caller's deadline bounds it further. */
  readonly timeout?: TimeoutOptions['limit'];
  readonly log?: CallLog;
  /** Asked before each call; refuses it by rejecting, such as for a rate limit. */
  readonly admit?: (key: BreakerKey) => Promise<unknown> | undefined;
}

/** Beyond so many targets their guards are made anew; nothing is lost with them. */
const TARGETS = 1_000;

/**
 * Calls to outside services with the usual guards, measured, bounded in time and behind the breaker of the tenant: for
 * code that makes calls for many tenants, such as jobs.
 *
 * @example
 * const calls = new ProtectedCalls({ breakers: new BreakerRegistry() });
 * await calls.call({ service: 'mail', tenant, operation: 'send' }, (signal) => send(letter, signal), signal);
 */
export class ProtectedCalls {
  private readonly breakers: BreakerRegistry;
  private readonly timeout: Timeout;
  private readonly log: CallLog | undefined;
  private readonly admit: ProtectedCallsOptions['admit'];
  private readonly measured = new Map<string, Map<string, Policy>>();
  private targets = 0;

  /** @throws InvalidInputError naming the option */
  constructor({ breakers, timeout = '30s', log, admit }: ProtectedCallsOptions) {
    this.breakers = breakers;
    this.timeout = new Timeout({ limit: timeout });
    this.log = log;
    this.admit = admit;
  }

  /** @throws what `admit` throws; BreakerOpenError, TimeoutExceededError; the call's own error; the signal's reason */
  call<T>(key: BreakerKey, call: Protected<T>, signal: AbortSignal = NEVER): Promise<T> {
    return pipeline(this.measuredFor(key), this.admission(key), this.breakers.get(key), this.timeout).execute(
      disturbable(key, call),
      signal,
    );
  }

  private admission(key: BreakerKey): Policy {
    return {
      execute: async (call, signal = NEVER) => {
        await this.admit?.(key);
        return call(signal);
      },
    };
  }

  private measuredFor({ service, operation }: BreakerKey): Policy {
    const known = this.measured.get(service)?.get(operation);
    if (known !== undefined) return known;
    if (this.targets >= TARGETS) {
      this.measured.clear();
      this.targets = 0;
    }
    this.targets += 1;
    const made = new Measured({ service, operation }, { log: this.log });
    const operations = this.measured.get(service) ?? new Map<string, Policy>();
    this.measured.set(service, operations.set(operation, made));
    return made;
  }
}

/** A chaos experiment's fault is part of the call: timeout and breaker see it as they see every other. */
function disturbable<T>({ service, operation, tenant }: BreakerKey, call: Protected<T>): Protected<T> {
  return (signal) => {
    const disturbance = disturbanceOf(service, operation, tenant, signal);
    return disturbance === undefined ? call(signal) : disturbance.then(() => call(signal));
  };
}
