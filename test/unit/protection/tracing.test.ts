import { SpanStatusCode, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { CallMetrics, Metrics } from '../../../core/metrics';
import { BreakerOpenError, CircuitBreaker, Measured, pipeline } from '../../../core/protection';

test('a measured call is a span with its outcome, also one that is refused', async () => {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  const breaker = new CircuitBreaker();
  const metrics = new CallMetrics(new Metrics());
  const guarded = pipeline(new Measured({ service: 'tax', operation: 'rate' }, { metrics }), breaker);
  await guarded.execute(() => 1);
  breaker.isolate('test');
  await expect(guarded.execute(() => 1)).rejects.toThrow(BreakerOpenError);
  trace.disable();
  expect(exporter.getFinishedSpans()).toMatchObject([
    { name: 'tax rate', status: { code: SpanStatusCode.UNSET } },
    {
      name: 'tax rate',
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'BREAKER_OPEN' },
    },
  ]);
});
