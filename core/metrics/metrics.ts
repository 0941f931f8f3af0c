import { collectDefaultMetrics, Registry } from 'prom-client';
import { InvalidInputError } from '../errors';
import { CounterFamily, type CounterOptions } from './counter-family';
import { GaugeFamily, type GaugeOptions } from './gauge-family';
import { HistogramFamily, type HistogramOptions } from './histogram-family';
import { Labels } from './labels';

export interface MetricsOptions {
  /** Default: a new one. */
  readonly registry?: Registry;
  /** How many values a label may have beside `other`; default 50. */
  readonly top?: number;
}

type Kind = 'counter' | 'gauge' | 'histogram';

/**
 * Metrics with bounded labels (README.md). Names and labels of one metric are the same wherever it is asked for.
 *
 * @example
 * const refused = sharedMetrics.counter({
 *   name: 'shop_refused_total', help: 'Orders that were refused.', labels: ['tenant'],
 * });
 * refused.inc({ tenant: 'acme' });
 */
export class Metrics {
  readonly registry: Registry;
  private readonly labels: Labels;
  private processCollected = false;
  private readonly families = new Map<string, { readonly signature: string; readonly family: unknown }>();

  constructor(options: MetricsOptions = {}) {
    this.registry = options.registry ?? new Registry();
    const top = options.top ?? 50;
    if (!Number.isInteger(top) || top < 1)
      throw new InvalidInputError(`top: ${top} is no number of label values.`, {
        details: { option: 'top' },
      });
    this.labels = new Labels(top);
  }

  counter<L extends string = never>(options: CounterOptions<L>): CounterFamily<L> {
    return this.once(options, 'counter', () => new CounterFamily(this.registry, this.labels, options));
  }

  gauge<L extends string = never>(options: GaugeOptions<L>): GaugeFamily<L> {
    return this.once(options, 'gauge', () => new GaugeFamily(this.registry, this.labels, options));
  }

  histogram<L extends string = never>(options: HistogramOptions<L>): HistogramFamily<L> {
    return this.once(options, 'histogram', () => new HistogramFamily(this.registry, this.labels, options));
  }

  /** Adds memory, CPU, event loop and start time of the process; once, however often it is called. */
  collectProcess(): void {
    if (this.processCollected) return;
    this.processCollected = true;
    collectDefaultMetrics({ register: this.registry });
  }

  private once<F>(
    options: { readonly name: string; readonly labels?: readonly string[] },
    kind: Kind,
    make: () => F,
  ): F {
    const signature = `${kind}(${(options.labels ?? []).join(',')})`;
    const known = this.families.get(options.name);
    if (known === undefined) {
      const family = make();
      this.families.set(options.name, { signature, family });
      return family;
    }
    if (known.signature !== signature) {
      throw new InvalidInputError(
        `The metric ${options.name} exists as ${known.signature}, not as ${signature}.`,
        {
          hint: 'Give it another name, or the same kind and labels.',
        },
      );
    }
    // The signature says which family it is: same kind, same labels.
    return known.family as F;
  }
}
