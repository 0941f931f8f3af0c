import { z } from 'zod';
import { disturbanceOf } from '../../core/injection-points';
import {
  type Answered,
  type BreakerOptions,
  BreakerRegistry,
  bulkhead,
  elsewhere,
  emergency,
  type Fallback,
  fallback,
  type Policy,
  pipeline,
  Retry,
  RetryBudget,
  remembered,
  timeout,
} from '../../core/protection';
import { TaxServiceError } from './tax-service-error';

export interface TaxRatesOptions {
  /** `GET <url>/<country>` answers `{"percent": 19}`. */
  readonly url: string;
  /** Asked when the first one does not answer. */
  readonly secondUrl: string;
  readonly breaker?: Omit<BreakerOptions, 'isFailure'>;
  /** For one question with all its tries, and again for the second service; default 2 s. */
  readonly limit?: string | number;
}

const SERVICE = { service: 'tax', operation: 'rate' } as const;

/** What an invoice is written with when nobody knows better; accounting finds such invoices by the level. */
export const STANDARD_TAX_PERCENT = 20;

/**
 * Asks an outside service for a country's tax rate. An invoice must be written whether or not the service is there, so
 * each question is bounded in time, does not pile up, and has four ways to an answer; the caller sees which one it was.
 */
export class TaxRates {
  /** For metrics and the audit log. */
  readonly breakers: BreakerRegistry;
  private readonly retry = new Retry({ idempotent: true, base: 50, limit: 500, budget: new RetryBudget() });
  private readonly places = bulkhead({ name: 'tax', concurrency: 50, perTenant: 5, reserve: 10, queue: 200 });
  private readonly total;
  private readonly answers: Fallback<number>;

  constructor(private readonly options: TaxRatesOptions) {
    this.breakers = new BreakerRegistry({ breaker: { ...options.breaker, isFailure: isTrouble } });
    this.total = timeout(options.limit ?? '2s');
    this.answers = fallback<number>({
      levels: [
        elsewhere('second-service', ({ key, signal }) =>
          this.total.execute((within) => ask(options.secondUrl, key, within), signal),
        ),
        remembered({ maxAge: '24h' }),
        emergency(STANDARD_TAX_PERCENT, 'standard-rate'),
      ],
      handles: isTrouble,
    });
  }

  /** @throws TaxServiceError for a country without a rate; the signal's reason */
  percentFor(organisationId: string, country: string, signal?: AbortSignal): Promise<Answered<number>> {
    const guarded = this.guardedFor(organisationId);
    const call = async (innermost: AbortSignal) => {
      // Where an experiment may make the service late, silent or wrong for an organisation.
      await disturbanceOf(SERVICE.service, SERVICE.operation, organisationId, innermost);
      return ask(this.options.url, country, innermost);
    };
    return this.answers.answer((within) => guarded.execute(call, within), { key: country, signal });
  }

  /** One organisation's breaker and places: another one's broken credentials are not its trouble. */
  private guardedFor(tenant: string): Policy {
    const breaker = this.breakers.get({ ...SERVICE, tenant });
    return pipeline(this.total, this.retry, breaker, this.places.of(tenant));
  }
}

/** A country that the service does not know is an answer: no other rate may stand in for it. */
const isTrouble = (error: unknown) => !(error instanceof TaxServiceError) || error.retryable;

const rate = z.object({ percent: z.number().min(0).max(100) });

async function ask(url: string, country: string, signal: AbortSignal): Promise<number> {
  const response = await fetch(`${url}/${encodeURIComponent(country)}`, { signal });
  if (!response.ok) throw new TaxServiceError(country, response.status);
  return rate.parse(await response.json()).percent;
}
