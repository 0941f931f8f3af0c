import { InvalidInputError } from '../../errors';
import {
  answered,
  cost,
  DEFAULT_OUTLIER,
  type EndpointState,
  isOut,
  newEndpoint,
  type OutlierPolicy,
} from './endpoint.pure';

export interface EndpointSetOptions {
  readonly endpoints: readonly string[];
  readonly outlier?: Partial<OutlierPolicy>;
  /** From 0 to below 1; for tests. */
  readonly random?: () => number;
  /** Monotonic milliseconds; for tests. */
  readonly clock?: () => number;
}

/**
 * Chooses among endpoints by the power of two choices (Mitzenmacher, 2001): of two taken at random the one that costs less, by
 * requests in flight, time and slow start. Endpoints that fail are left out for a while.
 *
 * @example
 * const tax = new EndpointSet({ endpoints: ['https://a.example', 'https://b.example'] });
 * const rate = await tax.execute((endpoint) => fetchRate(endpoint));
 */
export class EndpointSet {
  private readonly states: Map<string, EndpointState>;
  private readonly policy: OutlierPolicy;
  private readonly random: () => number;
  private readonly clock: () => number;
  private readonly drained = new Set<string>();

  constructor(options: EndpointSetOptions) {
    this.random = options.random ?? Math.random;
    this.clock = options.clock ?? (() => performance.now());
    this.policy = { ...DEFAULT_OUTLIER, ...options.outlier };
    const names = new Set(options.endpoints);
    if (names.size === 0)
      throw new InvalidInputError('endpoints: there are none.', { details: { option: 'endpoints' } });
    for (const [option, value] of Object.entries(this.policy)) {
      const sound = Number.isFinite(value) && value > 0 && (option !== 'mostOut' || value <= 1);
      if (!sound)
        throw new InvalidInputError(`outlier.${option}: ${value} makes no sense.`, { details: { option } });
    }
    const now = this.clock();
    this.states = new Map([...names].map((name) => [name, newEndpoint(now - this.policy.slowStartMs)]));
  }

  /** Adds an endpoint, which starts slowly. */
  add(endpoint: string): void {
    if (!this.states.has(endpoint)) this.states.set(endpoint, newEndpoint(this.clock()));
  }

  remove(endpoint: string): void {
    if (this.states.size > 1 && this.states.delete(endpoint)) this.drained.delete(endpoint);
  }

  get endpoints(): readonly string[] {
    return [...this.states.keys()];
  }

  has(endpoint: string): boolean {
    return this.states.has(endpoint);
  }

  /** It gets nothing new until `resume`, as long as there is another one; what is under way there ends by itself. */
  drain(endpoint: string): void {
    if (this.states.has(endpoint)) this.drained.add(endpoint);
  }

  /** Ends `drain`; it starts slowly. */
  resume(endpoint: string): void {
    if (!this.drained.delete(endpoint)) return;
    const state = this.states.get(endpoint);
    if (state !== undefined) this.states.set(endpoint, { ...state, backAt: this.clock() });
  }

  /** Calls that are under way at an endpoint. */
  inFlight(endpoint: string): number {
    return this.states.get(endpoint)?.inFlight ?? 0;
  }

  /** Endpoints that are left out now. */
  out(): string[] {
    const now = this.clock();
    return [...this.states].filter(([, state]) => isOut(state, now)).map(([name]) => name);
  }

  /** @returns the endpoint to ask; report its answer with `answered`. */
  choose(): string {
    const now = this.clock();
    const open = [...this.states].filter(([name]) => !this.drained.has(name));
    const all = open.length > 0 ? open : [...this.states];
    const well = all.filter(([, state]) => !isOut(state, now));
    // When all are bad, spreading the load is better than asking nobody.
    const among = well.length > 0 ? well : all;
    const first = Math.floor(this.random() * among.length);
    const step = 1 + Math.floor(this.random() * (among.length - 1));
    const a = among[first];
    const b = among[(first + step) % among.length];
    if (a === undefined || b === undefined) throw new InvalidInputError('endpoints: there are none.');
    const [name, state] = cost(a[1], now, this.policy) <= cost(b[1], now, this.policy) ? a : b;
    this.states.set(name, { ...state, inFlight: state.inFlight + 1 });
    return name;
  }

  answered(endpoint: string, outcome: { readonly ok: boolean; readonly ms: number }): void {
    const state = this.states.get(endpoint);
    if (state === undefined) return;
    const mayLeave = this.out().length + 1 <= this.states.size * this.policy.mostOut;
    this.states.set(endpoint, answered(state, outcome, this.clock(), this.policy, mayLeave));
  }

  /** Chooses, calls and reports; the error of `call` goes on as it is. */
  async execute<T>(call: (endpoint: string) => Promise<T> | T): Promise<T> {
    const endpoint = this.choose();
    const began = this.clock();
    try {
      const result = await call(endpoint);
      this.answered(endpoint, { ok: true, ms: this.clock() - began });
      return result;
    } catch (error) {
      this.answered(endpoint, { ok: false, ms: this.clock() - began });
      throw error;
    }
  }
}
