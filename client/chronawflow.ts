import { type Config, loadConfig } from '../config';
import { ReadAudit } from '../core/audit';
import { ChaosEngineeringManager } from '../core/chaos';
import { Degradation, type DegradationModesManager, type DegradationOptions } from '../core/degradation';
import { FailureDomainManager, readDiscoveries } from '../core/failure-domains';
import type { Job } from '../core/jobs';
import type { Signer } from '../core/operators';
import { createPayloadCodec } from '../core/payload-codec';
import { ConfiguredRateLimits, type ConfiguredRateLimitsOptions } from '../core/rate-limit';
import { RecoveryStrategyManager } from '../core/recovery/recovery-strategy-manager';
import { createPool } from '../database';
import { ChaosClient, type ChaosRun } from './chaos';
import { ContainmentClient, type ContainmentRun } from './containment';
import { degradationModes } from './degradation';
import { ErasureClient } from './erasure';
import { EscalationClient } from './escalation';
import { JobsClient } from './jobs';
import { KeysClient } from './keys';
import type { OperationRun } from './operation-run';
import { OperatorSigning } from './operator-signing';
import { OperatorsClient } from './operators';
import { type Overview, readOverview } from './overview';
import { RecoveryClient } from './recovery';
import { RecoveryReader } from './recovery-reader';
import { TemporalLink } from './temporal-link';

export interface ConnectOptions {
  /** Default `chronawflow.yaml` in the working directory, or `CHRONAWFLOW_CONFIG`. */
  readonly configFile?: string;
  /** A loaded configuration instead of a file. */
  readonly config?: Config;
  /** Types of jobs, besides those of the modules that the configuration names under `jobs.modules`. */
  readonly jobs?: readonly Job[];
  /**
   * Default the configuration's `jobs.whenTemporalIsAway`. With `outbox` this connects without Temporal: jobs are submitted
   * all the same, durably, and run when it is back; what needs it fails with TEMPORAL_UNAVAILABLE.
   */
  readonly whenTemporalIsAway?: 'fail' | 'outbox';
  /** Signs what an operator does, where the configuration has `operators`. Default: the key that CHRONAWFLOW_OPERATOR_KEY names. */
  readonly signer?: Signer;
}

/**
 * The way in for programs.
 *
 * @example
 * const cf = await Chronawflow.connect({ configFile: 'chronawflow.yaml' });
 * const run = await cf.recovery.restoreTenant({ tenant: 'acme', to: '2026-11-23T10:15:00Z' });
 * const preview = await run.preview();
 * await run.approve({ diffHash: preview.diffHash, as: 'grace' });
 * console.log((await run.result()).outcome);
 * await cf.close();
 */
export class Chronawflow {
  readonly recovery: RecoveryClient;
  readonly jobs: JobsClient;
  /** Experiments: run, look, abort. */
  readonly chaos: ChaosClient;
  /** Erasing people's data. */
  readonly erasure: ErasureClient;
  /** Of encrypted payloads. */
  readonly keys: KeysClient;
  readonly operators: OperatorsClient;
  /** The same operations under the names of the architecture document. */
  readonly chaosEngineering: ChaosEngineeringManager<ChaosRun>;
  readonly recoveryStrategy: RecoveryStrategyManager<OperationRun>;

  /** The graph of what depends on what, as declared and as it is found now. */
  readonly failureDomains: () => Promise<FailureDomainManager<ContainmentRun>>;
  /** Keeps failures from going further. */
  readonly containment: ContainmentClient;
  /** Whom to tell, who has taken what, and what is silenced. */
  readonly escalation: EscalationClient;

  /** Level, breakers, queues, objectives, last drill and audit seal, each as far as it can be told now. */
  readonly overview: () => Promise<Overview>;

  private limits: Promise<ConfiguredRateLimits> | undefined;
  private follower: Promise<Degradation> | undefined;
  private readonly modes: () => DegradationModesManager;

  private constructor(
    readonly config: Config,
    link: TemporalLink,
    platform: ReturnType<typeof createPool>,
    application: ReturnType<typeof createPool>,
    { jobs = [], signer }: Pick<ConnectOptions, 'jobs' | 'signer'>,
  ) {
    const signing = new OperatorSigning(config, platform, signer);
    this.erasure = new ErasureClient(config, platform, application, signing);
    this.keys = new KeysClient(config, link, platform, application, signing);
    const reads = new ReadAudit(config.audit.reads, platform, application);
    const reader = new RecoveryReader(config, platform, application, reads);
    this.recovery = new RecoveryClient(link, platform, reader, signing, reads);
    this.jobs = new JobsClient(config, link, platform, application, jobs, signing, reads);
    this.operators = new OperatorsClient(platform, signing);
    this.chaos = new ChaosClient(link, platform, signing);
    this.chaosEngineering = new ChaosEngineeringManager(this.chaos);
    this.recoveryStrategy = new RecoveryStrategyManager(this.recovery);
    this.containment = new ContainmentClient(link, platform, config, signing);
    this.escalation = new EscalationClient(link, platform);
    this.failureDomains = async () =>
      new FailureDomainManager(
        config.failureDomains,
        await readDiscoveries(config, platform, application),
        this.containment,
      );
    this.modes = () => degradationModes(config, platform, link, signing);
    this.overview = () => readOverview(config, platform, application, this.modes);
    this.close = async () => {
      const limits = await this.limits?.catch(() => undefined);
      const follower = await this.follower?.catch(() => undefined);
      await Promise.all([limits?.close(), follower?.close()]);
      await Promise.all([link.close(), platform.end(), application.end()]);
    };
  }

  /**
   * The limits of the section `rateLimits`, begun with the first call and ended by `close`. A service that does not use Temporal
   * starts them by `ConfiguredRateLimits` of `chronawflow/protection`.
   *
   * @throws InvalidInputError when the configuration has no such section
   */
  rateLimits(options?: ConfiguredRateLimitsOptions): Promise<ConfiguredRateLimits> {
    this.limits ??= ConfiguredRateLimits.start(this.config, options);
    return this.limits;
  }

  /**
   * The levels of degradation: how the system is, and the level by hand.
   *
   * @throws InvalidInputError when the configuration has no section `degradation`
   */
  get degradation(): DegradationModesManager {
    return this.modes();
  }

  /**
   * The levels in this process, followed from the first call on and until `close`. A service that does not use Temporal starts them
   * by `Degradation` of `chronawflow/protection`.
   *
   * @throws InvalidInputError when there is no such section
   */
  levels(options?: DegradationOptions): Promise<Degradation> {
    this.follower ??= Degradation.start(this.config, options);
    return this.follower;
  }

  /** Ends every connection; call it once, last. */
  readonly close: () => Promise<void>;

  /** Loads the configuration and connects to Temporal. @throws ConfigInvalidError, TemporalUnavailableError */
  static async connect(options: ConnectOptions = {}): Promise<Chronawflow> {
    const config = options.config ?? loadConfig({ configFile: options.configFile });
    const away = options.whenTemporalIsAway ?? config.jobs.whenTemporalIsAway;
    // Pools connect when they are first used: approving, for one, needs no database where payloads are not encrypted.
    const pool = { applicationName: 'chronawflow client', max: 2 };
    const platform = createPool(config.platform.database, pool);
    const { namespace } = config.temporal;
    const dataConverter = config.payloads && {
      payloadCodecs: [createPayloadCodec(config.payloads, platform, { namespace, side: 'client' })],
    };
    const link =
      away === 'outbox'
        ? TemporalLink.whenNeeded(config.temporal, { dataConverter })
        : await TemporalLink.open(config.temporal, { dataConverter });
    return new Chronawflow(config, link, platform, createPool(config.application.database, pool), options);
  }
}
