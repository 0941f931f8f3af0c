import { messageOf } from '../errors';
import { METRIC, sharedMetrics } from '../metrics';
import { Component } from './component';
import { type HealthOptions, parseHealthOptions } from './options';
import type { HealthReport } from './report';

const TICK_MS = 250;

/**
 * Checks components in the background and answers from what it knows: asking costs nothing and never waits.
 *
 * @example
 * const health = new HealthMonitor({ checks: [{ name: 'database', check: () => pool.query('select 1') }] });
 * health.start();
 * health.report(); // { status: 'up', live: true, ready: true, … }
 *
 * @throws InvalidInputError naming the option that is nonsense.
 */
export class HealthMonitor {
  private readonly components: readonly Component[];
  private readonly startedAt = performance.now();
  private readonly failures;
  private readonly forget: () => void;
  private readonly running = new Set<Promise<void>>();
  private ticker: NodeJS.Timeout | undefined;

  constructor(private readonly options: HealthOptions) {
    const settings = parseHealthOptions(options);
    const metrics = options.metrics ?? sharedMetrics;
    this.components = settings.checks.map((check) => new Component(check, settings.history, this.startedAt));
    this.failures = metrics.counter({
      name: METRIC.healthCheckFailures,
      help: 'Health checks that failed or did not settle in time.',
      labels: ['component'],
    });
    for (const { name } of settings.checks) this.failures.zero({ component: name });
    const up = metrics.gauge({
      name: METRIC.healthUp,
      help: '1 while the component is up, 0 while it is down, flaps damped.',
      labels: ['component'],
      merge: 'max',
    });
    this.forget = up.collectFrom(() =>
      this.components.map((one) => ({ labels: { component: one.settings.name }, value: one.up ? 1 : 0 })),
    );
  }

  start(): void {
    if (this.ticker !== undefined) return;
    this.ticker = setInterval(() => this.tick(), TICK_MS);
    this.ticker.unref();
    this.tick();
  }

  /** Runs every check now, whether it is due or not. */
  async checkNow(): Promise<HealthReport> {
    await Promise.all(this.components.map((component) => this.run(component)));
    return this.report();
  }

  report(): HealthReport {
    const now = performance.now();
    const down = this.components.filter((component) => !component.up);
    const live = down.every(({ settings }) => settings.kind !== 'liveness');
    const ready = live && this.components.every((one) => one.ready || !one.settings.critical);
    const critical = down.some(({ settings }) => settings.critical);
    const status = critical ? 'down' : down.length > 0 ? 'degraded' : ready ? 'up' : 'starting';
    return {
      status,
      live,
      ready,
      uptimeSeconds: Math.round((now - this.startedAt) / 1_000),
      components: this.components.map((component) => component.report(now)),
    };
  }

  /** From 1 (all is well) to 0 (something critical is down), for adaptive limits. */
  score(): number {
    const down = this.components.filter((component) => !component.up);
    if (down.some(({ settings }) => settings.critical)) return 0;
    return this.components.length === 0 ? 1 : 1 - down.length / this.components.length;
  }

  /** Checks that run are waited for no longer than their own limits. */
  async close(): Promise<void> {
    clearInterval(this.ticker);
    this.forget();
    await Promise.all(this.running);
  }

  private tick(): void {
    const now = performance.now();
    for (const component of this.components) {
      if (!component.due(now)) continue;
      const run: Promise<void> = this.run(component).finally(() => this.running.delete(run));
      this.running.add(run);
    }
  }

  private async run(component: Component): Promise<void> {
    const before = component.up;
    const ok = await component.run(() => performance.now());
    if (!ok) this.failures.inc({ component: component.settings.name });
    if (component.up === before) return;
    try {
      this.options.onChange?.(component.settings.name, component.up);
    } catch (error) {
      process.emitWarning(`onChange of HealthMonitor threw: ${messageOf(error)}`);
    }
  }
}
