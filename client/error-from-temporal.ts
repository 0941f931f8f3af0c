import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  QueryRejectedError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { ChronawflowError, InvalidInputError, messageOf } from '../core/errors';
import { readFacts } from '../core/errors/error-facts.pure';
import { CLOSED_CHANNEL } from './closed-channel';
import {
  ClientClosedError,
  NoWorkerAnsweredError,
  RemoteError,
  RunCancelledError,
  RunExistsError,
  RunNotFoundError,
  RunTerminatedError,
  TemporalUnavailableError,
} from './errors';

/** What a failed request was about, for the message. */
export interface RequestContext {
  readonly workflowId: string;
  readonly address: string;
  readonly taskQueue: string;
}

/** gRPC status codes; source: the gRPC core documentation, "Status codes and their use in gRPC". */
const CANCELLED = 1;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
const UNAVAILABLE = 14;

/** Whatever Temporal's client threw, as the error that its cause was before it crossed the wire. */
export function errorFromTemporal(thrown: unknown, context: RequestContext): ChronawflowError {
  const causes = causeChain(thrown);
  const ours = causes.find((cause) => cause instanceof ChronawflowError);
  if (ours instanceof ChronawflowError) return ours;
  const application = causes.find((cause) => cause instanceof ApplicationFailure);
  if (application instanceof ApplicationFailure) return remote(application);
  for (const cause of causes) {
    const known = knownError(cause, context, thrown);
    if (known !== undefined) return known;
  }
  return new RemoteError(
    'UNEXPECTED',
    messageOf(thrown),
    { kind: 'failed', retryable: false, details: {} },
    thrown,
  );
}

function remote(failure: ApplicationFailure): RemoteError {
  const facts = readFacts(failure.details?.[0]) ?? {
    kind: 'failed',
    retryable: failure.nonRetryable !== true,
    details: {},
  };
  return new RemoteError(failure.type ?? 'UNEXPECTED', failure.message, facts, failure);
}

function knownError(cause: unknown, context: RequestContext, thrown: unknown): ChronawflowError | undefined {
  const { workflowId, taskQueue, address } = context;
  if (cause instanceof CancelledFailure) return new RunCancelledError(workflowId, thrown);
  if (cause instanceof TerminatedFailure) return new RunTerminatedError(workflowId, thrown);
  if (cause instanceof TimeoutFailure) return new RunTerminatedError(workflowId, thrown);
  if (cause instanceof WorkflowNotFoundError) return new RunNotFoundError(workflowId, thrown);
  if (cause instanceof WorkflowExecutionAlreadyStartedError) return new RunExistsError(workflowId, thrown);
  if (cause instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return new NoWorkerAnsweredError(workflowId, taskQueue, thrown);
  }
  if (cause instanceof QueryNotRegisteredError || cause instanceof QueryRejectedError) {
    return new RunNotFoundError(workflowId, thrown);
  }
  if (!isGrpcServiceError(cause)) return undefined;
  switch (cause.code) {
    case CANCELLED:
      return cause.details === CLOSED_CHANNEL ? new ClientClosedError(address, thrown) : undefined;
    case INVALID_ARGUMENT:
      return new InvalidInputError(`Temporal does not accept it: ${cause.details}.`, { cause: thrown });
    case NOT_FOUND:
      return new RunNotFoundError(workflowId, thrown);
    case DEADLINE_EXCEEDED:
      return new NoWorkerAnsweredError(workflowId, taskQueue, thrown);
    case FAILED_PRECONDITION:
      // A server that has not seen a worker for a while does not even try to ask one.
      return /no poller/.test(cause.details)
        ? new NoWorkerAnsweredError(workflowId, taskQueue, thrown)
        : undefined;
    case UNAVAILABLE:
      return new TemporalUnavailableError(address, thrown);
    default:
      return undefined;
  }
}

function causeChain(thrown: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let cause = thrown; cause !== undefined && !chain.includes(cause); ) {
    chain.push(cause);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return chain;
}
