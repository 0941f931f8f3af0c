import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { InvalidInputError } from '../../core/errors';
import { traced, withSpan } from '../../core/tracing';

const exporter = new InMemorySpanExporter();

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
});
afterEach(() => exporter.reset());
afterAll(() => {
  trace.disable();
  context.disable();
});

test('a call is a span below its caller’s, with its target', async () => {
  const policy = traced({ service: 'tax', operation: 'rate' });
  const answer = await withSpan('outer', {}, () => policy.execute(async () => 7));
  expect(answer).toBe(7);
  const [inner, outer] = exporter.getFinishedSpans();
  expect(inner).toMatchObject({ name: 'tax rate', attributes: { 'peer.service': 'tax' } });
  expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
});

test.each([
  ['a Chronawflow error with its code', new InvalidInputError('no'), 'INVALID_INPUT'],
  ['any other error', new Error('no'), undefined],
  ['what is no error', 'no', undefined],
])('%s ends the span and goes on as it is', async (_name, error, code) => {
  const policy = traced({ service: 'tax', operation: 'rate' });
  await expect(
    policy.execute(() => {
      throw error;
    }),
  ).rejects.toBe(error);
  const [span] = exporter.getFinishedSpans();
  expect(span?.status).toEqual({ code: 2, message: 'no' });
  expect(span?.attributes['error.type']).toBe(code);
  expect(span?.events).toHaveLength(1);
});

test('without the API the call just runs', async () => {
  await jest.isolateModulesAsync(async () => {
    jest.doMock('@opentelemetry/api', () => {
      throw Object.assign(new Error("Cannot find module '@opentelemetry/api'"), { code: 'MODULE_NOT_FOUND' });
    });
    const tracing = jest.requireActual<typeof import('../../core/tracing')>('../../core/tracing');
    await expect(tracing.withSpan('x', {}, async () => 7)).resolves.toBe(7);
  });
  expect(exporter.getFinishedSpans()).toHaveLength(0);
});
