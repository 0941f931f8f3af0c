import { ApplicationFailure } from '@temporalio/common';
import type {
  Next,
  QueryInput,
  SignalInput,
  UpdateInput,
  WorkflowExecuteInput,
  WorkflowInboundCallsInterceptor,
  WorkflowInterceptorsFactory,
} from '@temporalio/workflow';
import { log } from '@temporalio/workflow';
import type { ErrorFacts } from '../core/errors/error-facts.pure';
import { plainInput } from '../core/payload-codec/plain-input.pure';

/**
 * Of the bundle for encrypted payloads: a plain payload is taken as a run's input, where the policy allows it, and nowhere
 * else. The codec cannot tell an input from a signal; here it is known.
 */
class PlainInputGuard implements WorkflowInboundCallsInterceptor {
  async execute(
    input: WorkflowExecuteInput,
    next: Next<WorkflowInboundCallsInterceptor, 'execute'>,
  ): Promise<unknown> {
    return next({ ...input, args: input.args.map(taken) });
  }

  /** A signal has no sender to tell: what is refused is as if it had not come. */
  async handleSignal(
    input: SignalInput,
    next: Next<WorkflowInboundCallsInterceptor, 'handleSignal'>,
  ): Promise<void> {
    if (!input.args.some(isPlain)) return next(input);
    log.warn('a signal was ignored: its payload is not encrypted', { signal: input.signalName });
  }

  validateUpdate(input: UpdateInput, next: Next<WorkflowInboundCallsInterceptor, 'validateUpdate'>): void {
    if (input.args.some(isPlain)) throw refused(`The argument of ${input.name}`);
    next(input);
  }

  /** An update without a validator of its own is not validated at all: it fails instead of being rejected. */
  async handleUpdate(
    input: UpdateInput,
    next: Next<WorkflowInboundCallsInterceptor, 'handleUpdate'>,
  ): Promise<unknown> {
    if (input.args.some(isPlain)) throw refused(`The argument of ${input.name}`);
    return next(input);
  }

  async handleQuery(
    input: QueryInput,
    next: Next<WorkflowInboundCallsInterceptor, 'handleQuery'>,
  ): Promise<unknown> {
    if (input.args.some(isPlain)) throw refused(`The argument of ${input.queryName}`);
    return next(input);
  }
}

export const interceptors: WorkflowInterceptorsFactory = () => ({ inbound: [new PlainInputGuard()] });

function taken(arg: unknown): unknown {
  const plain = plainInput(arg);
  if (plain === undefined) return arg;
  if (plain.kind === 'refused') throw refused('The input of the workflow');
  try {
    return plain.json === '' ? undefined : JSON.parse(plain.json);
  } catch {
    throw refused('The input of the workflow, which is no JSON,');
  }
}

function isPlain(arg: unknown): boolean {
  return plainInput(arg) !== undefined;
}

function refused(what: string): ApplicationFailure {
  const facts: ErrorFacts = {
    kind: 'refused',
    retryable: false,
    hint: 'Send it through Chronawflow’s client or with `temporal --codec-endpoint`, or set payloads.plainInput.',
    details: {},
  };
  return ApplicationFailure.create({
    message: `${what} is not encrypted, and payloads have to be.`,
    type: 'PLAIN_PAYLOAD_REFUSED',
    nonRetryable: true,
    details: [facts],
  });
}
