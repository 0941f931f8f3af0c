import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import pino from 'pino';
import { Chronawflow } from '../../client';
import { type Config, loadConfig } from '../../config';
import { chaosPart } from '../../workers/chaos-part';
import { createControlWorker } from '../../workers/create-control-worker';
import type { ChronawflowWorker } from '../../workers/create-worker';
import { workflowBundle } from '../workflow/support/workflow-bundle';
import { type ChaosStage, type ChaosStageOptions, startChaosStage } from './chaos-stage';
import { building } from './clean-up';
import { type RealTemporal, startTemporal } from './temporal-server';

/** A small service to probe: what it answers is set by tests and by experiments' own actions. */
export interface ProbedService {
  readonly url: string;
  status: number;
  body: unknown;
  /** What was asked, as `GET /path`. */
  readonly requests: string[];
}

export interface ChaosDeployment {
  readonly stage: ChaosStage;
  readonly temporal: RealTemporal;
  readonly service: ProbedService;
  readonly cf: Chronawflow;
  /** @param changes in its section `chaos` */
  startWorker(changes?: Partial<Config['chaos']>): Promise<void>;
  stopWorker(): Promise<void>;
  /** Another deployment on the same parts, in mode production, with its controllers. @param operators section of that name */
  inProduction(operators?: Config['operators']): Promise<ProductionDeployment>;
  stop(): Promise<void>;
}

export interface ProductionDeployment {
  readonly cf: Chronawflow;
  readonly config: Config;
  stop(): Promise<void>;
}

/** Temporal, the control plane, what is disturbed and a controller: what experiments run on. */
export function startChaosDeployment(
  section: ChaosStageOptions['chaos'] | ((service: ProbedService) => ChaosStageOptions['chaos']) = {},
  targets: ChaosStageOptions['targets'] = {},
): Promise<ChaosDeployment> {
  return building(async (cleanUp) => {
    const temporal = await startTemporal({ file: true });
    cleanUp.add(() => temporal.stop());
    const { server, service } = await startService();
    cleanUp.add(
      () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    );
    const chaos = typeof section === 'function' ? section(service) : section;
    const stage = await startChaosStage({
      temporal: { address: temporal.address, taskQueue: `test-${randomUUID().slice(0, 8)}` },
      targets: {
        service: { kind: 'http', url: service.url, methods: ['GET', 'POST'] },
        queue: { kind: 'task-queue', taskQueue: 'flooded' },
        echo: { kind: 'program', path: '/bin/echo' },
        ...targets,
      },
      chaos,
    });
    cleanUp.add(() => stage.stop());
    await stage.database.connect().query('create table public.tenants (id text primary key)');
    await stage.database
      .connect()
      .query(`insert into public.tenants select 't' || n from generate_series(1, 10) n`);
    const config = loadConfig({ configFile: stage.configFile });
    const bundle = await workflowBundle();
    const controllers = (of: Config): Promise<ChronawflowWorker> =>
      createControlWorker({
        config: of,
        log: pino({ level: 'silent' }),
        workflows: { workflowBundle: bundle },
        parts: [(services) => chaosPart(services, stage.programs)],
      });
    let running: { readonly worker: ChronawflowWorker; readonly ended: Promise<void> } | undefined;
    const stopWorker = async () => {
      running?.worker.shutdown();
      await running?.ended;
      running = undefined;
    };
    cleanUp.add(stopWorker);
    const cf = await Chronawflow.connect({ config });
    cleanUp.add(() => cf.close());
    return {
      ...{ stage, temporal, service, cf, stopWorker },
      startWorker: async (changes) => {
        if (config.chaos === undefined) throw new Error('the stage has a section chaos');
        const worker = await controllers({ ...config, chaos: { ...config.chaos, ...changes } });
        running = { worker, ended: worker.run() };
      },
      inProduction: async (operators) => {
        if (config.chaos === undefined) throw new Error('the stage has a section chaos');
        const production: Config = {
          ...config,
          operators,
          temporal: { ...config.temporal, taskQueue: `${config.temporal.taskQueue}-production` },
          chaos: { ...config.chaos, mode: 'production' },
        };
        const worker = await controllers(production);
        const ended = worker.run();
        const client = await Chronawflow.connect({ config: production });
        return {
          cf: client,
          config: production,
          stop: async () => {
            await client.close();
            worker.shutdown();
            await ended;
          },
        };
      },
      stop: () => cleanUp.run(),
    };
  });
}

async function startService(): Promise<{ readonly server: Server; readonly service: ProbedService }> {
  const requests: string[] = [];
  const service = { url: '', status: 200, body: { ok: true, queue: { depth: 3 } } as unknown, requests };
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const set = /^\/set\/(\d+)$/.exec(request.url ?? '')?.[1];
    if (set !== undefined) service.status = Number(set);
    response.writeHead(set === undefined ? service.status : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(service.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  service.url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return { server, service };
}
