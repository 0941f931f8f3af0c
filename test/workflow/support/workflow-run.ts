import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Pool } from 'pg';
import pino from 'pino';
import { type Config, parseConfig } from '../../../config';
import type { TenantRestoreInput } from '../../../core/recovery/types';
import { applyMigrations } from '../../../database';
import { type ChronawflowWorker, createWorker } from '../../../workers/create-worker';
import type { tenantRestore } from '../../../workflows';
import type { OperationStatus } from '../../../workflows/contract';
import { building } from '../../support/clean-up';
import { InMemoryRecoveryEngine } from '../../support/in-memory-recovery-engine';
import { type RealPostgres, startPostgres } from '../../support/real-postgres';
import { type RealTemporal, startTemporal, type TemporalOptions } from '../../support/temporal-server';
import { until } from '../../support/until';
import { workflowBundle } from './workflow-bundle';

// Refused requests and interrupted steps are what these tests are about; the SDK would report each of them.
Runtime.install({ logger: new DefaultLogger('ERROR') });

/** Temporal and the control plane's database, real, for one test file. */
export interface Ground {
  readonly temporal: RealTemporal;
  readonly client: Client;
  readonly platform: Pool;
  readonly postgres: RealPostgres;
  readonly bundle: { readonly codePath: string };
  stop(): Promise<void>;
}

export function startGround(options: Pick<TemporalOptions, 'dynamicConfig'> = {}): Promise<Ground> {
  return building(async (cleanUp) => {
    const [temporal, postgres, bundle] = await Promise.all([
      startTemporal({ file: true, ...options }),
      startPostgres(),
      workflowBundle(),
    ]);
    cleanUp.add(() => temporal.stop());
    cleanUp.add(() => postgres.stop());
    const platform = await postgres.createDatabase('platform');
    await applyMigrations(platform, 'platform');
    const connection = await Connection.connect({ address: temporal.address });
    cleanUp.add(() => connection.close());
    const client = new Client({ connection });
    return { temporal, client, platform, postgres, bundle, stop: () => cleanUp.run() };
  });
}

export type RestoreHandle = WorkflowHandle<typeof tenantRestore>;

/** A task queue with its worker and engine: one for each test, so that tests do not see each other. */
export class Scene {
  readonly taskQueue: string;
  readonly engine: InMemoryRecoveryEngine;
  readonly tenant = `t-${randomUUID().slice(0, 8)}`;
  /** The section `operators`: set it before the worker starts. */
  operators: Readonly<Record<string, unknown>> | undefined;
  orphansEveryMs: number | undefined;
  private readonly scratchDirectory: string;
  private running: { readonly worker: ChronawflowWorker; readonly ended: Promise<void> } | undefined;

  constructor(
    private readonly ground: Ground,
    private readonly recovery: Readonly<Record<string, unknown>> = {},
    private readonly scratchPatienceMs?: number,
    beside?: Scene,
  ) {
    this.taskQueue = beside?.taskQueue ?? `test-${randomUUID().slice(0, 8)}`;
    this.engine = beside?.engine ?? new InMemoryRecoveryEngine();
    this.scratchDirectory = `/none/${randomUUID()}`;
  }

  /** The same deployment on a host with a scratch directory of its own. */
  onAnotherHost(): Scene {
    return new Scene(this.ground, this.recovery, this.scratchPatienceMs, this);
  }

  get config(): Config {
    return parseConfig(JSON.stringify(this.rawConfig), { file: '/tmp/chronawflow.yaml', env: {} });
  }

  get rawConfig(): Readonly<Record<string, unknown>> {
    const { temporal, postgres } = this.ground;
    return {
      temporal: { address: temporal.address, taskQueue: this.taskQueue },
      platform: { database: postgres.connection('platform') },
      application: {
        database: postgres.connection('platform'),
        backup: { stanza: 'none', configFile: '/none', scratchDirectory: this.scratchDirectory },
      },
      tenancy: { table: 'public.tenants' },
      objectives: { tiers: { gold: { rpo: '1m', rto: '10m' } }, defaultTier: 'gold' },
      recovery: this.recovery,
      ...(this.operators === undefined ? {} : { operators: this.operators }),
    };
  }

  async startWorker(): Promise<void> {
    const worker = await createWorker({
      config: this.config,
      log: pino({ level: 'silent' }),
      workflows: { workflowBundle: this.ground.bundle },
      scratchPatienceMs: this.scratchPatienceMs,
      orphansEveryMs: this.orphansEveryMs,
      recovery: {
        engine: this.engine,
        parseTarget: (text) => ({ kind: 'time', at: text }),
        chooseDrillTenant: async () => this.tenant,
        createRecoveryPoint: async (point) => ({
          name: point.name,
          kind: point.kind,
          at: '2026-11-23T10:00:00.000000Z',
          lsn: '0/3000148',
          timeline: 1,
        }),
        restoreCluster: async ({ into, promote }) => ({
          host: 'here',
          dataDirectory: `${into}/data`,
          socketDirectory: into,
          port: 5432,
          promoted: promote,
          validation: { timeline: 1, replayLsn: '0/7000060', stoppedBecause: 'recovery stopping before …' },
        }),
        sweep: async () => undefined,
        watch: () => undefined,
        close: async () => undefined,
      },
    });
    this.running = { worker, ended: worker.run() };
  }

  async stopWorker(): Promise<void> {
    this.running?.worker.shutdown();
    await this.running?.ended;
    this.running = undefined;
  }

  restore(input: Partial<TenantRestoreInput> = {}, request: string = randomUUID()): Promise<RestoreHandle> {
    return this.ground.client.workflow.start<typeof tenantRestore>('tenantRestore', {
      workflowId: `restore/${input.tenant ?? this.tenant}/${request}`,
      taskQueue: this.taskQueue,
      args: [{ tenant: this.tenant, to: '2026-11-23T10:15:00Z', requestedBy: 'ada', ...input }],
    });
  }

  /** Waits until people are asked, about this diff when one is given. */
  async awaitingApproval(handle: WorkflowHandle, diffHash?: string) {
    let found: OperationStatus | undefined;
    await until(
      async () => {
        found = await handle.query<OperationStatus>('status');
        const { approval } = found;
        return approval.kind === 'open' && (diffHash === undefined || approval.diffHash === diffHash);
      },
      { what: 'the approval to open' },
    );
    if (found?.approval.kind !== 'open') throw new Error('the approval closed again');
    return { ...found, approval: found.approval };
  }

  /** What must hold after every end: nothing frozen, no scratch, no open record. */
  leftovers(): readonly string[] {
    return [
      ...[...this.engine.frozen].map((tenant) => `frozen: ${tenant}`),
      ...[...this.engine.scratch].map((id) => `scratch: ${id}`),
      ...this.engine.unclosed.map((entry) => `open: ${entry.restoreId}`),
    ];
  }
}
