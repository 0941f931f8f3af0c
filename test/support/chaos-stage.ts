import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { loadConfig } from '../../config';
import { abortAll, type ChaosHost, type ChaosPrograms, chaosPrograms, readGuard } from '../../core/chaos';
import { startDetached, stopDetached } from '../../core/cluster';
import { applyMigrations } from '../../database';
import { chaosHost } from '../../workers/chaos-host';
import { killChaosProcesses } from './chaos-processes';
import { building } from './clean-up';
import { kill } from './kill';
import { guardAgainstOrphans } from './orphan-guard';
import { type RealPostgres, startPostgres } from './real-postgres';
import { removeDirectory, throwawayDirectory } from './throwaway-directory';
import { startToxiproxy, type Toxiproxy } from './toxiproxy';

const root = join(__dirname, '..', '..');

export interface ChaosStage {
  readonly host: ChaosHost;
  readonly programs: ChaosPrograms;
  readonly configFile: string;
  readonly directory: string;
  readonly toxiproxy: Toxiproxy;
  /** Where each proxy listens. */
  readonly proxyPorts: Readonly<Record<string, number>>;
  /** The database that is disturbed. */
  readonly database: RealPostgres;
  readonly platform: Pool;
  readonly controlPlane: RealPostgres;
  /** As the configuration has it. */
  readonly temporal: { readonly address: string } | undefined;
  /** A process that only sleeps, and is a target. */
  readonly unitFile: string;
  readonly backupFile: string;
  /** Starts a process that injects, renews and rolls back, and can be killed. */
  controller(request: ControllerRequest): Controller;
  /** PIDs of the two guards, as they recorded themselves. */
  guards(): Promise<Readonly<Record<'a' | 'b', number | undefined>>>;
  stop(): Promise<void>;
}

export interface ControllerRequest {
  readonly leaseId: string;
  readonly driver: string;
  readonly target: string;
  readonly parameters?: object;
  readonly durationMs: number;
  readonly termMs: number;
}

export interface Controller {
  readonly pid: number;
  readonly ended: Promise<string>;
}

export function newLeaseId(): string {
  return `f${createHash('sha256').update(randomUUID()).digest('hex').slice(0, 12)}`;
}

export interface ChaosStageOptions {
  /** Beside those that are always there. */
  readonly targets?: Readonly<Record<string, unknown>>;
  readonly temporal?: { readonly address: string; readonly taskQueue: string };
  /** Of the section `chaos`. */
  readonly chaos?: Readonly<Record<string, unknown>>;
}

/** Everything that faults are injected into, made for one test file and gone with it. */
export function startChaosStage(options: ChaosStageOptions = {}): Promise<ChaosStage> {
  return building(async (cleanUp) => {
    const directory = await throwawayDirectory('chaos');
    cleanUp.add(guardAgainstOrphans(directory));
    cleanUp.add(() => removeDirectory(directory));
    const [database, control, toxiproxy] = await Promise.all([
      startPostgres({ tcp: true, settings: { archive_mode: 'on', max_connections: 30 } }),
      startPostgres({}),
      startToxiproxy(),
    ]);
    cleanUp.add(() => database.stop());
    cleanUp.add(() => control.stop());
    cleanUp.add(() => toxiproxy.stop());
    await database.connect().query('create table public.ledger (id int primary key)');
    await database.connect().query(`alter system set archive_command = '/bin/true'`);
    await database.connect().query('select pg_reload_conf()');
    const platform = await control.createDatabase('platform');
    await applyMigrations(platform, 'platform');
    const proxies = await Promise.all([1, 2, 3].map(() => toxiproxy.proxy(`127.0.0.1:${database.port}`)));
    const proxyPorts = Object.fromEntries(proxies.map(({ port }, at) => [`proxy-${at + 1}`, port]));

    const unitFile = join(directory, 'unit', 'process.json');
    const unit = { program: '/bin/sleep', args: ['3600'] };
    cleanUp.add(() => stopDetached(unitFile));
    await mkdir(join(directory, 'unit'));
    await startDetached({
      file: unit.program,
      args: unit.args,
      recordFile: unitFile,
      logFile: `${unitFile}.log`,
    });

    const repository = join(directory, 'repository');
    await mkdir(repository);
    await writeFile(join(repository, 'base.tar'), randomUUID().repeat(50));

    const toxiproxyFile = join(toxiproxy.directory, 'process.json');
    const proxyTarget = (proxy: string) => ({
      kind: 'toxiproxy',
      url: toxiproxy.url,
      proxy,
      pidFile: toxiproxyFile,
      start: {
        program: process.env.CHRONAWFLOW_TOXIPROXY,
        args: ['-host', '127.0.0.1', '-port', new URL(toxiproxy.url).port],
      },
    });
    const configFile = join(directory, 'chronawflow.yaml');
    const config = {
      temporal: options.temporal ?? {},
      platform: { database: control.connection('platform') },
      application: {
        database: database.connection('postgres'),
        backup: { stanza: 'none', configFile: '/none' },
      },
      tenancy: { table: 'public.tenants' },
      chaos: {
        directory: join(directory, 'journal'),
        targets: {
          'proxy-1': proxyTarget('proxy-1'),
          'proxy-2': proxyTarget('proxy-2'),
          'proxy-3': proxyTarget('proxy-3'),
          database: {
            kind: 'postgres',
            database: database.connection('postgres'),
            tables: ['public.ledger'],
          },
          unit: { kind: 'process', pidFile: unitFile, command: '/bin/sleep 3600', start: unit },
          repository: { kind: 'backup-repository', path: repository },
          ...options.targets,
        },
        ...options.chaos,
      },
    };
    await writeFile(configFile, JSON.stringify(config));
    const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const { host, close } = chaosHost(loadConfig({ configFile }), quiet);
    const env = { CHRONAWFLOW_CONFIG: configFile };
    const programs = chaosPrograms(join(root, 'dist', 'workers'), env);
    cleanUp.add(close);
    const guards = async () => ({
      a: (await readGuard(host.journal.directory, 'a'))?.pid,
      b: (await readGuard(host.journal.directory, 'b'))?.pid,
    });
    cleanUp.add(() => killChaosProcesses(configFile));
    cleanUp.add(async () => {
      await abortAll(host, 'test');
    });
    const controllers = new Set<Controller>();
    let stopped = false;
    // First: what still leads a fault would bring back what the steps above take away.
    cleanUp.add(async () => {
      stopped = true;
      for (const { pid } of controllers) kill(pid);
      await Promise.all([...controllers].map(({ ended }) => ended));
    });
    return {
      ...{
        host,
        programs,
        configFile,
        directory,
        toxiproxy,
        proxyPorts,
        database,
        platform,
        unitFile,
        guards,
      },
      controlPlane: control,
      temporal: options.temporal,
      backupFile: join(repository, 'base.tar'),
      controller: (request) => {
        if (stopped) throw new Error('the stage was stopped');
        const controller = startController(configFile, request);
        controllers.add(controller);
        controller.ended.then(() => controllers.delete(controller));
        return controller;
      },
      stop: () => cleanUp.run(),
    };
  });
}

function startController(configFile: string, request: ControllerRequest): Controller {
  const script = join(__dirname, 'chaos-controller.ts');
  const child = spawn(
    process.execPath,
    ['-r', join(root, 'scripts', 'register.cjs'), script, JSON.stringify(request)],
    // It ends with its standard input, which the kernel closes when this process dies.
    { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, CHRONAWFLOW_CONFIG: configFile }, cwd: root },
  );
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
  const ended = new Promise<string>((resolve) => {
    child.once('close', () => resolve(output.join('')));
  });
  return { pid: child.pid ?? 0, ended };
}
