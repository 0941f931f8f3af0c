import { parseDuration } from '../../config';
import { boundedText, ChronawflowError, messageOf } from '../errors';

import { type AttemptFailure, TENANT_FROZEN } from './after-attempt.pure';

/** Kept with the job and shown to people; the whole of a long message is in the worker's log. */
const MESSAGE_BYTES = 500;

/**
 * Whatever a job's code threw. `retryAfter` (text like '30s', or milliseconds) and `retryAfterMs` of the error are
 * honoured, `retryable: false` too.
 */
export function describeFailure(thrown: unknown): AttemptFailure {
  const chain = causes(thrown);
  if (chain.some((cause) => text(cause, 'code') === TENANT_FROZEN)) {
    return {
      code: TENANT_FROZEN,
      names: [TENANT_FROZEN],
      message: 'The tenant is frozen by a restore.',
      final: false,
    };
  }
  const code = text(thrown, 'code');
  const className = thrown instanceof Error ? thrown.name : typeof thrown;
  const retryAfterMs = retryAfterOf(thrown);
  return {
    code: code ?? className,
    names: code === undefined ? [className] : [code, className],
    message: boundedText(messageOf(thrown), MESSAGE_BYTES),
    final:
      thrown instanceof ChronawflowError
        ? !thrown.retryable
        : field(thrown, 'retryable') === false || field(thrown, 'nonRetryable') === true,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function retryAfterOf(thrown: unknown): number | undefined {
  for (const value of [field(thrown, 'retryAfterMs'), field(thrown, 'retryAfter')]) {
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
    if (typeof value === 'string') return parseDuration(value);
  }
  return undefined;
}

function causes(thrown: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let cause = thrown; cause !== undefined && !chain.includes(cause); cause = field(cause, 'cause')) {
    chain.push(cause);
  }
  return chain;
}

function field(thrown: unknown, name: string): unknown {
  return typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, name) : undefined;
}

function text(thrown: unknown, name: string): string | undefined {
  const value = field(thrown, name);
  return typeof value === 'string' && value.length > 0 && value.length <= 100 ? value : undefined;
}
