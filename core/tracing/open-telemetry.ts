import { messageOf } from '../errors';

/** The parts of @opentelemetry/api that are used. Its own types would make the package a dependency of every user. */
export interface Span {
  setAttribute(name: string, value: string | number | boolean): unknown;
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  recordException(error: Error | string): unknown;
  end(): void;
}

interface OpenTelemetry {
  readonly trace: {
    getTracer(name: string): {
      startActiveSpan<T>(
        name: string,
        options: { readonly attributes: Readonly<Record<string, string | number | boolean>> },
        work: (span: Span) => T,
      ): T;
    };
  };
}

let loaded: { readonly api: OpenTelemetry | undefined } | undefined;

/** The API where the service has it, an optional peer dependency; looked for once. */
export function openTelemetry(): OpenTelemetry | undefined {
  loaded ??= { api: load() };
  return loaded.api;
}

function load(): OpenTelemetry | undefined {
  try {
    return require('@opentelemetry/api');
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND';
    // Something that is only there to watch must not stop what it watches.
    if (!absent) process.emitWarning(`@opentelemetry/api cannot be loaded: ${messageOf(error)}`);
    return undefined;
  }
}
