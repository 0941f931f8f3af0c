import { SpanStatusCode, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { CallMetrics, Metrics } from '../../../core/metrics';
import { Measured } from '../../../core/protection';

const measured = new Measured(
  { service: 'tax', operation: 'rate' },
  { metrics: new CallMetrics(new Metrics()) },
);

test('without an SDK a call is made as ever', async () => {
  await expect(measured.execute(() => 1)).resolves.toBe(1);
});

test('with one, each call is a span with its outcome', async () => {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  await measured.execute(() => 1);
  await expect(measured.execute(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
  trace.disable();
  const spans = exporter
    .getFinishedSpans()
    .map(({ name, status, attributes }) => ({ name, status, attributes }));
  expect(spans).toEqual([
    { name: 'tax rate', status: { code: SpanStatusCode.UNSET }, attributes: { 'peer.service': 'tax' } },
    {
      name: 'tax rate',
      status: { code: SpanStatusCode.ERROR, message: 'down' },
      attributes: { 'peer.service': 'tax', 'error.type': 'error' },
    },
  ]);
});
