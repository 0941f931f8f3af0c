import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import fc from 'fast-check';
import { failureOf } from '../../activities/failure-of';
import { errorFromTemporal } from '../../client/error-from-temporal';
import { InvalidInputError } from '../../core/errors';
import { boundedFacts, boundedText } from '../../core/errors/error-facts.pure';
import { RestoreInProgressError } from '../../core/recovery/errors/restore-in-progress-error';

const context = { workflowId: 'restore/a/1', address: 'localhost:7233', taskQueue: 'chronawflow' };

function asApplicationFailure(error: unknown): ApplicationFailure {
  const failure = failureOf(error);
  if (!(failure instanceof ApplicationFailure)) throw new Error('not an ApplicationFailure');
  return failure;
}

test('an error keeps code, kind, hint and details on its way through Temporal', () => {
  const error = new RestoreInProgressError('acme', {
    id: 'r1',
    workflowId: 'restore/acme/1',
    kind: 'restore',
  });
  const failure = asApplicationFailure(error);
  expect(failure).toMatchObject({ type: 'RESTORE_IN_PROGRESS', nonRetryable: true });
  const back = errorFromTemporal(new WorkflowFailedError('failed', failure, 'IN_PROGRESS'), context);
  expect(back).toMatchObject({
    code: 'RESTORE_IN_PROGRESS',
    kind: 'refused',
    hint: error.hint,
    details: error.details,
  });
  expect(back.message).toBe(error.message);
});

test('a failure stays below what Temporal keeps, whatever the error brings along', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 20_000 }),
      fc.dictionary(fc.string(), fc.oneof(fc.string({ maxLength: 5_000 }), fc.nat(), fc.array(fc.string())), {
        maxKeys: 50,
      }),
      (message, details) => {
        const failure = asApplicationFailure(new InvalidInputError(message, { hint: message, details }));
        const stored = JSON.stringify({ message: failure.message, details: failure.details });
        expect(Buffer.byteLength(stored)).toBeLessThan(3_500);
      },
    ),
  );
});

test('details that JSON cannot express are left out and named', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const facts = boundedFacts({ kind: 'failed', retryable: false, details: { fine: 1, cycle, big: 1n } });
  expect(facts.details).toEqual({ fine: 1, omitted: ['cycle', 'big'] });
  expect(boundedText('abcdefgh', 8)).toBe('abc…');
});

test.each([
  ['a lost connection', new Error('Connection terminated unexpectedly'), false],
  ['a server that is starting', Object.assign(new Error('starting'), { code: '57P03' }), false],
  ['a standby after a switch', Object.assign(new Error('read-only transaction'), { code: '25006' }), false],
  ['a serialization failure', Object.assign(new Error('could not serialize'), { code: '40001' }), false],
  ['nobody listening', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), false],
  ['a missing right', Object.assign(new Error('permission denied'), { code: '42501' }), true],
  ['a mistake in the program', new TypeError('x is not a function'), true],
])('%s: tried again unless it is final', (_, error, nonRetryable) => {
  expect(asApplicationFailure(error)).toMatchObject({ type: 'UNEXPECTED', nonRetryable });
});

test('an error that nobody knows is tried a few times, a lost connection for as long as it takes', () => {
  expect(failureOf(new Error('odd'), 4)).toMatchObject({ nonRetryable: false });
  expect(failureOf(new Error('odd'), 5)).toMatchObject({ nonRetryable: true });
  expect(failureOf(new Error('Connection terminated unexpectedly'), 100)).toMatchObject({
    nonRetryable: false,
  });
});

test.each([
  [3, 'WorkflowId length exceeds limit', 'INVALID_INPUT'],
  [4, 'Deadline exceeded', 'NO_WORKER_ANSWERED'],
  [9, 'no poller seen for task queue recently, worker may be down', 'NO_WORKER_ANSWERED'],
  [9, 'query was rejected', 'UNEXPECTED'],
  [14, 'connection refused', 'TEMPORAL_UNAVAILABLE'],
])('gRPC status %d (%s) is %s', (code, details, expected) => {
  const cause = Object.assign(new Error(details), { code, details, metadata: {} });
  const thrown = new Error('Failed to query Workflow', { cause });
  expect(errorFromTemporal(thrown, context)).toMatchObject({ code: expected, cause: thrown });
});
