import { InvalidInputError, messageOf } from '../errors';
import { type CounterFamily, METRIC, sharedMetrics } from '../metrics';
import { withSpan } from '../tracing';
import { adapt } from './adapt.pure';
import type { Decision } from './decision';
import { RateLimitedError } from './errors/rate-limited-error';
import { Generations } from './generations';
import { type GlobalLimits, globalRule, type LeaseAnswer, type LeasedMeter } from './global';
import type { LimitedResource } from './limited-resource';
import { LimitedTenant } from './limited-tenant';
import { createMeter } from './meter/create-meter';
import type { Meter } from './meter/meter';
import { type LimiterSettings, parseOptions, type RateLimiterOptions } from './options';
import { type PenaltyPolicy, scoreAt, violate } from './penalty.pure';
import { baseOf, limitOf, type Rule, windowOf } from './rule';
import { parseRules, type Rules, type RulesInput, ruleFor } from './tenant-rules';

const DEFAULT_RESOURCE = 'default';
const HEALTH_EVERY_MS = 1_000;
/** Idle tenants are remembered at least this long, or for their longest window. */
const IDLE_MS = 10 * 60_000;

/**
 * Limits what tenants do, each tenant and resource by itself (README.md has the invariants).
 *
 * @example
 * const limiter = new AdaptiveRateLimiter({ rule: { kind: 'sliding-window', limit: 100, window: '1m' } });
 * const decision = await limiter.checkRateLimit('acme', 'reports', 5);
 * if (!decision.allowed) throw new Error(`try again in ${decision.retryAfterMs} ms`);
 *
 * @throws InvalidInputError naming the option that is nonsense.
 */
export class AdaptiveRateLimiter {
  private readonly settings: LimiterSettings;
  private readonly defaults: Rules & { readonly rule: Rule };
  private readonly configured = new Map<string, Rules>();
  private readonly tenants: Generations<LimitedTenant>;
  private readonly penalty: PenaltyPolicy;
  private readonly clock: () => number;
  private readonly decisions: CounterFamily<'tenant' | 'resource' | 'outcome'>;
  private readonly violations: CounterFamily<'tenant'>;
  private health = 1;
  private healthAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: RateLimiterOptions) {
    this.settings = parseOptions(options);
    const { rule, resources } = parseRules(options, 'options');
    if (rule === undefined) throw new InvalidInputError('options.rule: is missing');
    this.defaults = { rule, resources };
    for (const one of [rule, ...resources.values()]) this.requireGlobal(one);
    const { base, max, halfLife } = this.settings.penalty;
    this.penalty = { baseMs: base, maxMs: max, halfLifeMs: halfLife };
    this.clock = options.clock ?? (() => performance.now());
    const longest = Math.max(IDLE_MS, ...[rule, ...resources.values()].map((one) => windowOf(baseOf(one))));
    this.tenants = new Generations(this.settings.maxTenants, longest);
    const metrics = options.metrics ?? sharedMetrics;
    this.decisions = metrics.counter({
      name: METRIC.limiterDecisions,
      help: 'Decisions of rate limiters.',
      labels: ['tenant', 'resource', 'outcome'],
    });
    this.violations = metrics.counter({
      name: METRIC.limiterViolations,
      help: 'Violations of rate limits for which tenants were held back.',
      labels: ['tenant'],
    });
  }

  /**
   * Decides one request.
   *
   * @param cost units, or the name of an operation from `costs`; 1 by default.
   * @throws InvalidInputError for a cost that is no positive number and no known name.
   */
  checkRateLimit(tenant: string, resource = DEFAULT_RESOURCE, cost: number | string = 1): Promise<Decision> {
    try {
      const decision = this.decide(tenant, resource, cost);
      return decision instanceof Promise ? decision : Promise.resolve(decision);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @throws RateLimitedError when the request is refused. */
  async enforce(tenant: string, resource = DEFAULT_RESOURCE, cost: number | string = 1): Promise<Decision> {
    const decision = await this.checkRateLimit(tenant, resource, cost);
    if (!decision.allowed) throw new RateLimitedError(tenant, resource, decision);
    return decision;
  }

  /**
   * Gives a tenant rules of its own, at once and in this process only (`RateLimitConfiguration` tells the others);
   * undefined takes them away. What was already admitted still counts.
   */
  configureTenant(tenant: string, input: RulesInput | undefined): void {
    if (input === undefined) {
      this.configured.delete(tenant);
    } else {
      const rules = parseRules(input, `tenants.${tenant}`);
      for (const rule of [rules.rule, ...rules.resources.values()])
        if (rule !== undefined) this.requireGlobal(rule);
      this.configured.set(tenant, rules);
    }
    const now = this.clock();
    this.tenants.get(tenant, now)?.replace((resource, before) => {
      const rule = this.rule(tenant, resource);
      return rule === before.rule ? before : this.limited(tenant, resource, rule, before);
    });
  }

  /** Tenants that have rules of their own. */
  configuredTenants(): IterableIterator<string> {
    return this.configured.keys();
  }

  /**
   * Records a violation: everything of the tenant is refused for a while, longer each time.
   *
   * @returns how long, in milliseconds.
   */
  handleViolation(tenant: string): number {
    const now = this.clock();
    const state = this.tenant(tenant, now);
    state.penalty = violate(state.penalty, now, this.penalty);
    this.violations.inc({ tenant });
    return state.penalty.heldUntil - now;
  }

  private decide(tenant: string, resourceName: string, cost: number | string): Decision | Promise<Decision> {
    const units = typeof cost === 'number' ? cost : this.costOf(cost);
    if (!(units > 0 && units <= Number.MAX_SAFE_INTEGER)) {
      throw new InvalidInputError(`cost: ${units} is no positive number.`, { details: { option: 'cost' } });
    }
    const now = this.clock();
    const state = this.tenant(tenant, now);
    const resource = state.resource(resourceName, () =>
      this.limited(tenant, resourceName, this.rule(tenant, resourceName)),
    );
    const { penalty } = state;
    if (penalty !== undefined && now < penalty.heldUntil) return held(resource, penalty.heldUntil - now);
    const scale =
      resource.rule.kind === 'adaptive' ? this.scale(resource, resource.rule.floor, state, now) : 1;
    const { meter } = resource;
    if ('leased' in meter) return this.decideLeased(tenant, resource, meter, units, scale);
    const allowed = meter.tryTake(now, units, scale);
    this.count(tenant, resource, allowed, now);
    return {
      allowed,
      limit: resource.limit * scale,
      remaining: meter.remaining(now, scale),
      resetMs: meter.resetAfter(now),
      retryAfterMs: allowed ? 0 : meter.retryAfter(now, units, scale),
      windowMs: resource.windowMs,
      reason: allowed ? 'within' : 'exceeded',
    };
  }

  private decideLeased(
    tenant: string,
    resource: LimitedResource,
    meter: LeasedMeter,
    units: number,
    scale: number,
  ): Decision | Promise<Decision> {
    const finish = (answer: LeaseAnswer): Decision => {
      this.count(tenant, resource, answer.allowed, this.clock());
      return { ...answer, limit: resource.limit * scale, windowMs: resource.windowMs };
    };
    const answer = meter.take(units, scale);
    if (!(answer instanceof Promise)) return finish(answer);
    // Only what waits is worth a span.
    return withSpan('chronawflow.rate_limit.wait', { 'chronawflow.tenant': tenant }, async () =>
      finish(await answer),
    );
  }

  private count(tenant: string, resource: LimitedResource, allowed: boolean, now: number): void {
    if (allowed) {
      resource.admitted.inc();
      return;
    }
    resource.refused.inc();
    if (now - resource.refusalsSince >= resource.windowMs) {
      resource.refusals = 0;
      resource.refusalsSince = now;
    }
    resource.refusals += 1;
    if (resource.refusals < this.settings.penalty.after) return;
    resource.refusals = 0;
    this.handleViolation(tenant);
  }

  private scale(resource: LimitedResource, floor: number, tenant: LimitedTenant, now: number): number {
    if (now - this.healthAt >= HEALTH_EVERY_MS) {
      this.healthAt = now;
      this.health = this.askHealth();
    }
    const violations = scoreAt(tenant.penalty, now, this.penalty);
    resource.adaptive = adapt(resource.adaptive, { health: this.health, violations }, floor, now);
    return resource.adaptive.scale;
  }

  /** A function that fails says nothing about the system: the last answer stays, and traffic goes on. */
  private askHealth(): number {
    try {
      return this.options.health?.() ?? 1;
    } catch (error) {
      process.emitWarning(`the option health of AdaptiveRateLimiter threw: ${messageOf(error)}`);
      return this.health;
    }
  }

  private tenant(name: string, now: number): LimitedTenant {
    const known = this.tenants.get(name, now);
    if (known !== undefined) return known;
    const tenant = new LimitedTenant();
    this.tenants.set(name, tenant, now);
    return tenant;
  }

  private rule(tenant: string, resource: string): Rule {
    return ruleFor(resource, this.configured.get(tenant), this.defaults);
  }

  private limited(tenant: string, name: string, rule: Rule, before?: LimitedResource): LimitedResource {
    const base = baseOf(rule);
    const labels = { tenant, resource: name };
    return {
      rule,
      limit: limitOf(base),
      windowMs: windowOf(base),
      meter: this.meter(`${tenant.length}:${tenant}/${name}`, rule, before?.meter),
      admitted: before?.admitted ?? this.decisions.cell({ ...labels, outcome: 'admitted' }),
      refused: before?.refused ?? this.decisions.cell({ ...labels, outcome: 'refused' }),
      adaptive: before?.adaptive,
      refusals: 0,
      refusalsSince: this.clock(),
    };
  }

  private requireGlobal(rule: Rule): GlobalLimits | undefined {
    const base = baseOf(rule);
    if (base.global === undefined || this.options.global !== undefined) return this.options.global;
    throw new InvalidInputError('options.global: is missing, and a rule is global', {
      hint: 'Give new GlobalRateLimits({ pool }) as option `global`.',
      details: { option: 'global' },
    });
  }

  private meter(key: string, rule: Rule, before: Meter | LeasedMeter | undefined): Meter | LeasedMeter {
    const base = baseOf(rule);
    const limits = this.requireGlobal(rule);
    const shared = globalRule(base);
    if (shared !== undefined && limits !== undefined) return limits.meter(key, shared);
    const meter = createMeter(base);
    if (before !== undefined && !('leased' in before)) {
      const now = this.clock();
      const spent = Math.min(before.spent(now), limitOf(base));
      if (spent > 0) meter.tryTake(now, spent, 1);
    }
    return meter;
  }

  private costOf(operation: string): number {
    const cost = this.settings.costs[operation];
    if (cost !== undefined) return cost;
    throw new InvalidInputError(`cost: '${operation}' has no cost.`, {
      hint: 'Name it in the option costs, or give a number.',
      details: { option: 'cost' },
    });
  }
}

function held(resource: LimitedResource, forMs: number): Decision {
  resource.refused.inc();
  const { limit, windowMs } = resource;
  return {
    allowed: false,
    limit,
    remaining: 0,
    resetMs: forMs,
    retryAfterMs: forMs,
    windowMs,
    reason: 'held',
  };
}
