import { randomUUID } from 'node:crypto';
import { type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import pino from 'pino';
import { type Config, parseConfig } from '../../config';
import { Degradation, type DegradationOptions, DegradationStore } from '../../core/degradation';
import type { ConnectionSettings } from '../../database';
import type { ChronawflowWorker } from '../../workers';
import { createControlWorker } from '../../workers/create-control-worker';
import {
  type ControllerStatus,
  controllerWorkflowId,
  degradationMessageNames,
  transitionWorkflowId,
} from '../../workflows/degradation-contract';
import type { Ground } from '../workflow/support/workflow-run';
import { BOOKS } from './degradation-policy';
import { until } from './until';

/** Fast enough for a test, and slow enough for a machine that others use. */
export const QUICK = {
  ...BOOKS,
  interval: '500ms',
  dwell: '2s',
  staleAfter: '10s',
  silentAfter: '10s',
  slowStart: '1s',
};

/** What a follower says it sees; changed by the test. */
export interface Seen {
  [signal: string]: number;
}

/** One deployment: its controllers' process and processes that follow it. */
export class DegradationStage {
  readonly config: Config;
  /** As it would stand in a file. */
  readonly raw: Readonly<Record<string, unknown>>;
  readonly store: DegradationStore;
  readonly scope = 'platform';
  private readonly followers = new Set<Degradation>();
  private control: { readonly worker: ChronawflowWorker; readonly ended: Promise<void> } | undefined;

  constructor(
    private readonly ground: Ground,
    section: Readonly<Record<string, unknown>> = QUICK,
    connection: ConnectionSettings = ground.postgres.connection('platform'),
    more: Readonly<Record<string, unknown>> = {},
  ) {
    this.raw = {
      temporal: { address: ground.temporal.address, taskQueue: `test-${randomUUID().slice(0, 8)}` },
      platform: { database: connection },
      application: {
        database: ground.postgres.connection('platform'),
        backup: { stanza: 'none', configFile: '/none', scratchDirectory: '/none' },
      },
      tenancy: { table: 'public.tenants' },
      objectives: { tiers: { gold: { rpo: '5m', rto: '15m' } } },
      degradation: section,
      ...more,
    };
    this.config = parseConfig(JSON.stringify(this.raw), { file: '/tmp/chronawflow.yaml', env: {} });
    this.store = new DegradationStore(ground.platform);
  }

  /** A process that follows levels and sees what the test says. */
  async follow(name: string, seen: Seen = {}, options: DegradationOptions = {}): Promise<Degradation> {
    const follower = await Degradation.start(this.config, {
      name,
      signals: [() => Object.entries(seen).map(([signal, value]) => ({ signal, value }))],
      ...options,
    });
    this.followers.add(follower);
    return follower;
  }

  async leave(follower: Degradation): Promise<void> {
    this.followers.delete(follower);
    await follower.close();
  }

  async startControl(): Promise<void> {
    const worker = await createControlWorker({
      config: this.config,
      log: pino({ level: 'silent' }),
      workflows: { workflowBundle: this.ground.bundle },
    });
    this.control = { worker, ended: worker.run() };
  }

  async stopControl(): Promise<void> {
    this.control?.worker.shutdown();
    await this.control?.ended;
    this.control = undefined;
  }

  get controller(): WorkflowHandle {
    return this.ground.client.workflow.getHandle(controllerWorkflowId(this.scope));
  }

  status(): Promise<ControllerStatus> {
    return this.controller.query<ControllerStatus>(degradationMessageNames.status);
  }

  /** Waits until the controller has looked twice. */
  async watched(): Promise<void> {
    await until(
      async () => (await this.store.assessed()).some(({ assessment }) => assessment !== undefined),
      {
        limitMs: 180_000,
        what: 'the controller to see its scope',
      },
    );
  }

  /** Waits until the level is in force in every follower that is given. */
  async reached(level: string, followers: readonly Degradation[] = [...this.followers]): Promise<void> {
    await until(() => followers.every((one) => one.level() === level), {
      limitMs: 180_000,
      what: `level ${level} in all processes; they are at ${followers.map((one) => one.level()).join(', ')}`,
    });
  }

  /** Ends everything, and takes the controller and what it published away. */
  async stop(): Promise<void> {
    for (const follower of [...this.followers]) await this.leave(follower);
    await this.stopControl();
    // The next stage begins with version 1 again.
    for (const { scope, version, assessment } of await this.store.assessed()) {
      await this.end(controllerWorkflowId(scope));
      for (let one = 1; one <= Math.max(version, assessment?.state.version ?? 0) + 1; one += 1)
        await this.end(transitionWorkflowId(scope, one));
    }
    await this.ground.platform.query(
      'truncate chronawflow.degradation_level, chronawflow.degradation_process',
    );
  }

  private async end(workflowId: string): Promise<void> {
    await this.ground.client.workflow
      .getHandle(workflowId)
      .terminate('the test is over')
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
  }
}
