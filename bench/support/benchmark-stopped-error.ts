import { ChronawflowError } from '../../core/errors';

/** Somebody stopped the benchmark; everything it started is taken down. */
export class BenchmarkStoppedError extends ChronawflowError {
  readonly code = 'BENCHMARK_STOPPED';

  constructor(signal: string) {
    super(`stopped by ${signal}`, { details: { signal } });
  }
}
