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
import { building } from './clean-up';
import { guardAgainstOrphans } from './orphan-guard';
import { type RealPostgres, startPostgres } from './real-postgres';
import { removeDirectory, throwawayDirectory } from './throwaway-directory';
import { startToxiproxy, type Toxiproxy } from './toxiproxy';
import { until } from './until';

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
  readonly temporal?: Readonly<Record<string, unknown>>;
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
    cleanUp.add(() => endGuards(host));
    cleanUp.add(async () => {
      await abortAll(host, 'test');
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
      backupFile: join(repository, 'base.tar'),
      controller: (request) => startController(configFile, request),
      stop: () => cleanUp.run(),
    };
  });
}

function startController(configFile: string, request: ControllerRequest): Controller {
  const script = join(__dirname, 'chaos-controller.ts');
  const child = spawn(
    process.execPath,
    ['-r', join(root, 'scripts', 'register.cjs'), script, JSON.stringify(request)],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, CHRONAWFLOW_CONFIG: configFile }, cwd: root },
  );
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
  const ended = new Promise<string>((resolve) => {
    child.once('close', () => resolve(output.join('')));
  });
  return { pid: child.pid ?? 0, ended };
}

/** The guards end each other's absence, so both have to be gone at one look. */
async function endGuards(host: ChaosHost): Promise<void> {
  await until(
    async () => {
      const names = ['a', 'b'] as const;
      const refs = await Promise.all(names.map((name) => readGuard(host.journal.directory, name)));
      const alive = refs.filter((ref) => ref !== undefined && isThere(ref.pid));
      for (const ref of alive) if (ref !== undefined) kill(ref.pid);
      return alive.length === 0;
    },
    { what: 'the guards to be gone', limitMs: 60_000 },
  );
}

export function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined && pid > 1) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
