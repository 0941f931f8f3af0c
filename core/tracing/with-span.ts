import { ChronawflowError, messageOf } from '../errors';
import { openTelemetry } from './open-telemetry';

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

const TRACER = 'chronawflow';
/** SpanStatusCode.ERROR of the API. */
const ERROR = 2;

/**
 * Runs `work` in a span below the caller's. Without OpenTelemetry it just runs it. An error ends the span with its stable
 * code and goes on as it is; whatever the tracer does wrong stays with the tracer.
 */
export function withSpan<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T> {
  const api = openTelemetry();
  if (api === undefined) return work();
  return api.trace.getTracer(TRACER).startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ChronawflowError) span.setAttribute('error.type', error.code);
      span.recordException(error instanceof Error ? error : messageOf(error));
      span.setStatus({ code: ERROR, message: messageOf(error) });
      throw error;
    } finally {
      span.end();
    }
  });
}
