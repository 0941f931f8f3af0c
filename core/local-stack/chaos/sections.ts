import type { z } from 'zod';
import type { configSchema } from '../../../config';
import { APPLICATION } from '../application-database';
import type { StackLayout } from '../layout.pure';
import { PLATFORM } from '../platform-database';
import { secretFile } from '../secrets';
import type { StackPorts } from '../state';
import { processStart } from '../worker-process';
import type { OwnNetwork } from './own-network.pure';
import type { ChaosPorts } from './ports';
import { toxiproxyStart } from './toxiproxy-server';

export type ConfigInput = z.input<typeof configSchema>;
type Targets = NonNullable<NonNullable<ConfigInput['chaos']>['targets']>;

export interface SectionsOptions {
  readonly layout: StackLayout;
  readonly ports: StackPorts;
  readonly chaos: ChaosPorts;
  readonly toxiproxy: string;
  readonly publicKey: string;
  readonly jobs: readonly string[];
  readonly network: OwnNetwork | undefined;
  /** Whether the scratch copies of restores are on a file system of their own. */
  readonly ownScratch: boolean;
}

/** An experiment with a restore in it takes its time on a busy machine. */
const LONGEST = '5m';

/** What `up --chaos` adds to the stack's configuration: short times, so that one sees on the spot what takes minutes elsewhere. */
export function chaosSections(base: ConfigInput, options: SectionsOptions): ConfigInput {
  const { layout, ports, publicKey, jobs } = options;
  const audit = {
    publicKey,
    keyFile: layout.chaos.auditKey,
    database: {
      host: '127.0.0.1',
      port: ports.platform,
      database: PLATFORM.database,
      user: PLATFORM.sealerRole,
      passwordFile: secretFile(layout.secrets, 'sealer-password'),
    },
  };
  return {
    ...base,
    audit,
    // Above the archive's own interval, and soon missed when it stands still.
    objectives: { tiers: { standard: { rpo: '25s', rto: '15m' } }, defaultTier: 'standard' },
    jobs: {
      modules: [...jobs],
      lease: '3s',
      retention: '1d',
      whenTemporalIsAway: 'outbox',
      // An experiment's failures must not have a rule hold its jobs back.
      quarantine: { failureShare: false },
    },
    recovery: { approvals: 1, approvalTimeout: '2m', freezeLimit: '2m' },
    rateLimits: {
      rule: { kind: 'fixed-window', limit: 100_000, window: '1s' },
      resources: {
        office: { kind: 'sliding-window', limit: 100, window: '1s', global: { localShare: 1 } },
      },
    },
    containment: {
      lease: '10s',
      noisyTenants: { every: '1s', looks: 2, share: 0.6, minInFlight: 6, for: '20s', mostPerHour: 100 },
    },
    degradation: {
      interval: '1s',
      dwell: '5s',
      staleAfter: '10s',
      slowStart: '1s',
      recoveriesPerHour: 1_000,
      core: ['post-invoice'],
      levels: [
        {
          name: 'reduced',
          when: { latency: { enter: '1500ms', leave: '700ms' } },
          off: ['reports'],
        },
      ],
    },
    chaos: {
      directory: layout.chaos.journal,
      leaseTerm: '10s',
      maxDuration: LONGEST,
      // One worker of two, or both: nobody else depends on this stack.
      maxShare: 1,
      targets: chaosTargets(options),
    },
  };
}

/** The configuration of who is disturbed: each way to a server leads through its proxy. */
export function disturbedConfig(config: ConfigInput, chaos: ChaosPorts): ConfigInput {
  const { control: _, ...rest } = config;
  return {
    ...rest,
    temporal: { ...config.temporal, address: `127.0.0.1:${chaos.temporalProxy}` },
    platform: { database: through(config.platform.database, chaos.platformProxy) },
    application: {
      ...config.application,
      database: through(config.application.database, chaos.applicationProxy),
    },
  };
}

type Connection = ConfigInput['platform']['database'];

function through(connection: Connection, port: number): Connection {
  return { ...connection, port };
}

function chaosTargets(options: SectionsOptions): Targets {
  const { layout, ports, chaos, network } = options;
  const proxy = (name: string) => ({
    kind: 'toxiproxy' as const,
    url: `http://127.0.0.1:${chaos.toxiproxy}`,
    proxy: name,
    pidFile: layout.chaos.toxiproxy.recordFile,
    start: toxiproxyStart({ program: options.toxiproxy, port: chaos.toxiproxy }),
  });
  const superuser = (port: number) => ({
    host: layout.socketDirectory,
    port,
    database: APPLICATION.database,
    user: 'postgres',
  });
  const worker = (name: 'worker' | 'second-worker', metricsPort: number) => ({
    kind: 'process' as const,
    pidFile: (name === 'worker' ? layout.worker : layout.chaos.secondWorker).recordFile,
    command: 'workers/main.js',
    start: processStart({ name, metricsPort, configFile: layout.chaos.configFile }),
    group: 'workers',
  });
  const page = (port: number) => ({ kind: 'http' as const, url: `http://127.0.0.1:${port}` });
  return {
    worker: worker('worker', ports.metrics),
    'second-worker': worker('second-worker', chaos.secondWorker),
    sealer: {
      kind: 'process',
      pidFile: layout.chaos.sealer.recordFile,
      command: 'workers/sealer.js',
      start: processStart({
        name: 'sealer',
        metricsPort: chaos.sealer,
        configFile: layout.configFile,
      }),
    },
    'application-db': {
      kind: 'postgres',
      database: superuser(ports.application),
      tables: ['public.invoices'],
    },
    'application-standby': { kind: 'postgres', database: superuser(chaos.standby) },
    'application-proxy': proxy('application'),
    'control-plane-proxy': proxy('control-plane'),
    'temporal-proxy': proxy('temporal'),
    'task-queue': { kind: 'task-queue', taskQueue: 'chronawflow', maxWorkflows: 200 },
    calls: { kind: 'calls' },
    tax: { kind: 'calls', service: 'tax' },
    host: { kind: 'host', maxCpus: 1 },
    repository: { kind: 'backup-repository', path: layout.backup.repository },
    ...(options.ownScratch ? { scratch: { kind: 'scratch-disk' as const, path: layout.scratch } } : {}),
    ...(network === undefined
      ? {}
      : {
          network: { kind: 'network' as const, namespace: network.namespace, device: network.inside },
        }),
    'worker-page': page(ports.metrics),
    'control-page': page(ports.control),
    office: { ...page(chaos.office), methods: ['GET', 'POST'] },
  };
}
