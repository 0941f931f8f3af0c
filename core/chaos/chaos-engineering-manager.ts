import { InvalidInputError } from '../errors';
import type { StoredLease } from './lease';
import type { ChaosReport } from './types';

/** An experiment as an SDK's caller asks for it: the requester defaults to the operator who runs the process. */
export interface ChaosRunRequest {
  /** Chaos Toolkit's experiment, as an object. */
  readonly experiment: Readonly<Record<string, unknown>>;
  readonly requestedBy?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly confirmEachStep?: boolean;
  readonly seed?: number;
  /** Last part of the workflow's ID; a name is carried out once. Default: the time. */
  readonly request?: string;
}

/** A started experiment, as far as this file needs it. */
export interface ChaosRunHandle {
  readonly workflowId: string;
  result(): Promise<ChaosReport>;
}

/** How the manager starts durable work; implemented by whoever can start workflows (client/). */
export interface ChaosOperations<Run extends ChaosRunHandle = ChaosRunHandle> {
  run(request: ChaosRunRequest): Promise<Run>;
  activeFaults(): Promise<readonly StoredLease[]>;
}

export interface SingleFault {
  /** Such as `toxiproxy.latency`; docs/resilience/chaos.md lists them. */
  readonly driver: string;
  /** Name in `chaos.targets`. */
  readonly target: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Milliseconds, or text such as `'30s'`. */
  readonly duration: number | string;
  readonly requestedBy?: string;
  readonly reason?: string;
}

/**
 * Chaos behind three methods: disturb one thing for a time, run a whole experiment, say what is disturbed now. Everything is an
 * experiment underneath, so every fault has a lease and the rules of safety hold.
 *
 * @example
 * const run = await cf.chaosEngineering.injectFault({
 *   driver: 'toxiproxy.latency', target: 'app-db', parameters: { latencyMs: 300 }, duration: '30s',
 * });
 * const report = await run.result();
 */
export class ChaosEngineeringManager<Run extends ChaosRunHandle = ChaosRunHandle> {
  constructor(private readonly operations: ChaosOperations<Run>) {}

  /** Starts an experiment of one fault and nothing else. @throws InvalidInputError, and what starting an experiment throws */
  injectFault({ driver, target, parameters = {}, duration, ...who }: SingleFault): Promise<Run> {
    if (driver === '' || target === '') throw new InvalidInputError('A fault has a driver and a target.');
    const fault = { driver, target, parameters };
    return this.operations.run({
      ...who,
      experiment: {
        title: `${driver} on ${target}`,
        description: 'One fault for a time.',
        method: [],
        extensions: [{ name: 'chronawflow', faults: [fault], duration }],
      },
    });
  }

  /** Starts an experiment and waits for its report. */
  async executeResilienceTest(request: ChaosRunRequest): Promise<ChaosReport> {
    return (await this.operations.run(request)).result();
  }

  /** Faults of all hosts whose leases are open, the oldest first, by the control plane. */
  getActiveFaults(): Promise<readonly StoredLease[]> {
    return this.operations.activeFaults();
  }
}
