import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../../../config';
import { errorListener, InvalidInputError } from '../../errors';
import { type Metrics, sharedMetrics } from '../../metrics';
import { loadPolicy, worseBy } from '../load-policy';
import type { PublishedLevel } from '../published-level';
import { PLATFORM_SCOPE, scopesOf, tierScope } from '../scope';
import type { Policy } from '../types';
import type { Admission, Request } from './admission';
import { type ApplyComponent, applyComponents } from './components';
import { Gauges } from './gauges';
import { LevelLink } from './level-link';
import { LevelMetrics } from './level-metrics';
import type { LevelView } from './level-view';
import { Levels } from './levels';
import { RecentSamples } from './recent-samples';
import { type RequestOutcome, RequestSignals } from './request-signals';
import { callSignals, loopSignals, type SignalSource } from './signal-sources';

export interface DegradationOptions {
  /** Names the process for people; default host and process ID. */
  readonly name?: string;
  /** What the process has seen since it was last asked, besides its requests, its calls and its event loop. */
  readonly signals?: readonly SignalSource[];
  /** What can only be seen at a moment, such as a depth: asked five times an interval, of which the worst is told. */
  readonly gauges?: readonly SignalSource[];
  /** What has to be told of a level because it does not ask. */
  readonly components?: Readonly<Record<string, ApplyComponent>>;
  /** How long a change that no notification told may stay unseen, in milliseconds; default 750. */
  readonly pollMs?: number;
  /** What goes wrong in the background: the control plane away, a policy that would shed what is core. */
  readonly onError?: (error: unknown) => void;
  /** A new level is in force here. */
  readonly onChange?: (level: PublishedLevel) => void;
  /** Default: the process's shared metrics. */
  readonly metrics?: Metrics;
}

/** With the time of two queries below the second that is promised without notifications. */
const POLL_MS = 750;

const monotonic = () => performance.now();

/**
 * The levels of the platform and of tenants' tiers in one process: follows them, answers from memory, and tells the controllers
 * what this process sees. With the control plane away it keeps the last level; one that starts then begins at normal.
 *
 * @example
 * const degradation = await Degradation.start(loadConfig());
 * if (!degradation.allows('reports')) return reply.code(503).send();
 * // at the end: await degradation.close();
 */
export class Degradation {
  readonly policy: Policy;
  /** Names this process among those that report. */
  readonly process = randomUUID();
  private readonly levels: Levels;
  private readonly link: LevelLink;
  private readonly report: (error: unknown) => void;
  private readonly requests = new RequestSignals();
  private readonly sources: readonly SignalSource[];
  private readonly gauges: Gauges;
  private readonly samples: RecentSamples;
  private readonly metrics: LevelMetrics;
  private readonly scopes: readonly string[];
  private readonly views = new Map<string, LevelView>();
  private reporter: NodeJS.Timeout | undefined;
  private reporting: Promise<void> = Promise.resolve();
  private applying: Promise<void> | undefined;
  private acknowledged: Readonly<Record<string, number>> = {};
  private failed: Readonly<Record<string, string>> = {};
  private heardAt = monotonic();

  private constructor(
    { platform, degradation }: Pick<Config, 'platform' | 'degradation'>,
    private readonly options: DegradationOptions,
  ) {
    if (degradation === undefined) {
      throw new InvalidInputError('degradation: the configuration has no such section', {
        hint: 'For example degradation: { core: [sign-in] }; without more it has the levels of docs/resilience/degradation.md.',
        details: { option: 'degradation' },
      });
    }
    this.report = errorListener('Degradation', options.onError);
    this.policy = loadPolicy(degradation);
    this.scopes = scopesOf(degradation);
    this.levels = new Levels(this.policy, degradation.tiers, monotonic, (feature, level) =>
      this.report(new InvalidInputError(`Level ${level} would shed '${feature}', which is core; it stays.`)),
    );
    for (const tier of degradation.tiers)
      this.views.set(tier, this.levels.of(tierScope(tier)) ?? this.levels.platform);
    this.sources = [loopSignals(), callSignals(options.metrics), ...(options.signals ?? [])];
    this.gauges = new Gauges(options.gauges ?? [], worseBy(degradation), this.report);
    this.samples = new RecentSamples(this.policy.staleAfterMs, monotonic);
    this.metrics = new LevelMetrics(options.metrics ?? sharedMetrics, () => this.shown());
    this.link = new LevelLink({
      connection: platform.database,
      directConnection: platform.directDatabase,
      pollMs: options.pollMs ?? POLL_MS,
      onLevels: (levels) => this.follow(levels),
      onError: this.report,
    });
  }

  /** Begins with the level that is in force, and follows. @throws InvalidInputError when there is no section `degradation` */
  static async start(
    config: Pick<Config, 'platform' | 'degradation'>,
    options: DegradationOptions = {},
  ): Promise<Degradation> {
    const degradation = new Degradation(config, options);
    await degradation.link.start();
    degradation.reporter = setInterval(() => degradation.tick(), degradation.policy.intervalMs);
    degradation.reporter.unref();
    degradation.gauges.start(degradation.policy.intervalMs);
    await degradation.reportNow();
    return degradation;
  }

  /** The level's name, of the platform or as it is for a tier's tenants. */
  level(tier?: string): string {
    return this.forTier(tier).level();
  }

  /** Whether a feature answers now; see LevelView. */
  allows(feature: string, tier?: string): boolean {
    return tier === undefined ? this.levels.platform.allows(feature) : this.forTier(tier).allows(feature);
  }

  /** The one decision about a request or a job. */
  admit(request: Request, tier?: string): Admission {
    const admission = this.forTier(tier).admit(request);
    if (!admission.admitted) this.metrics.turnedAway(request.priority ?? 'normal', admission.why);
    return admission;
  }

  /** All that a level says, for a tier; a tier without a level of its own has the platform's. */
  forTier(tier: string | undefined): LevelView {
    return (tier === undefined ? undefined : this.views.get(tier)) ?? this.levels.platform;
  }

  /** For `timeout({ scale })`: shorter limits at a harder level. */
  readonly timeoutScale = (): number => this.levels.platform.timeoutScale();

  /** Tells what came of a request that was let in. @param ms how long it took */
  note(outcome: RequestOutcome, ms: number, tier?: string): void {
    this.requests.note(outcome, ms);
    if (tier !== undefined && this.views.has(tier)) this.requests.note(outcome, ms, tierScope(tier));
  }

  /** Milliseconds since the platform's controller gave a sign, as far as is known here. */
  get silentForMs(): number {
    return this.silentMs(PLATFORM_SCOPE);
  }

  async close(): Promise<void> {
    clearInterval(this.reporter);
    this.metrics.close();
    await this.reporting;
    await this.gauges.stop();
    await this.applying;
    await this.link.close(this.process);
  }

  private follow(published: readonly PublishedLevel[]): void {
    const news = this.levels.follow(published);
    this.heardAt = monotonic();
    for (const level of this.levels.published) if (news.includes(level.scope)) this.tell(level);
    // Not waited for: a component that is slow must not keep the next level back. What is new meanwhile comes with the next read.
    this.applying ??= this.acknowledge().finally(() => {
      this.applying = undefined;
    });
  }

  private async acknowledge(): Promise<void> {
    for (;;) {
      const { versions } = this.levels;
      const due = Object.entries(versions).some(([scope, version]) => this.acknowledged[scope] !== version);
      if (!due) return;
      this.failed = await applyComponents(this.options.components ?? {}, this.levels.platform.strategy);
      const taken = Object.keys(this.failed).length === 0;
      if (taken) this.acknowledged = versions;
      await this.reportNow();
      if (!taken) return;
    }
  }

  private tick(): void {
    this.reporting = this.sample().then(() => this.reportNow());
  }

  private async sample(): Promise<void> {
    const samples = this.requests.take();
    for (const source of this.sources) {
      try {
        samples.push(...(await source()));
      } catch (error) {
        this.report(error);
      }
    }
    await this.gauges.look();
    this.samples.add([...samples, ...this.gauges.take()]);
  }

  private async reportNow(): Promise<void> {
    try {
      await this.link.report({
        process: this.process,
        name: this.options.name ?? `${hostname()}/${process.pid}`,
        applied: this.acknowledged,
        failed: this.failed,
        samples: this.samples.list(),
      });
    } catch (error) {
      this.report(error);
    }
  }

  private shown() {
    return this.scopes.map((scope) => {
      const known = [...this.levels.published].find((level) => level.scope === scope);
      return { scope, rank: known?.rank ?? 0, silent: this.silentMs(scope) > this.policy.silentAfterMs };
    });
  }

  private silentMs(scope: string): number {
    const known = [...this.levels.published].find((level) => level.scope === scope);
    return (known?.silentMs ?? 0) + monotonic() - this.heardAt;
  }

  private tell(level: PublishedLevel): void {
    try {
      this.options.onChange?.(level);
    } catch (error) {
      this.report(error);
    }
  }
}
