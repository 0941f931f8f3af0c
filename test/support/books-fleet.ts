import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import { z } from 'zod';
import { DegradationStore } from '../../core/degradation';
import { applyMigrations } from '../../database';
import { installAccuBooks, seededRandom, seedOrganisation } from '../../examples/accubooks';
import { building } from './clean-up';
import { type RealPostgres, startPostgres } from './real-postgres';
import { startTemporal } from './temporal-server';
import { startToxiproxy, type ToxicProxy } from './toxiproxy';
import { until } from './until';

const ROOT = join(__dirname, '..', '..');

export interface BooksFleetOptions {
  /** Of the section `degradation`; without the platform the same web processes run alone. */
  readonly section: Readonly<Record<string, unknown>>;
  readonly platform: boolean;
}

/** AccuBooks with two web and, with the platform, three worker processes and the controllers, all of them real. */
export interface BooksFleet {
  /** Ports of the web processes. */
  readonly ports: readonly number[];
  /** In front of the service that reports ask. */
  readonly dependency: ToxicProxy;
  readonly store: DegradationStore;
  stop(): Promise<void>;
}

const WEBS = 2;
const WORKERS = 3;

export function startBooksFleet({ section, platform }: BooksFleetOptions): Promise<BooksFleet> {
  return building(async (cleanUp) => {
    const postgres = await startPostgres({ tcp: true, settings: { max_connections: 150 } });
    cleanUp.add(() => postgres.stop());
    const toxiproxy = await startToxiproxy();
    cleanUp.add(() => toxiproxy.stop());
    const temporal = platform ? await startTemporal({ file: true }) : undefined;
    if (temporal !== undefined) cleanUp.add(() => temporal.stop());
    const organisations = await prepare(postgres);
    const rates = createServer((_, response) => response.end('{"percent": 19}')).listen(0, '127.0.0.1');
    await once(rates, 'listening');
    cleanUp.add(async () => {
      rates.closeAllConnections();
      await new Promise((resolve) => rates.close(resolve));
    });
    const address = rates.address();
    const upstream = typeof address === 'object' && address !== null ? address.port : 0;
    const dependency = await toxiproxy.proxy(`127.0.0.1:${upstream}`);
    const database = { host: '127.0.0.1', port: postgres.port, database: 'books', user: 'postgres' };

    let configFile: string | undefined;
    if (temporal !== undefined) {
      configFile = join(temporal.directory, 'books.yaml');
      await writeFile(configFile, stringify(configuration(postgres, temporal.address, section)));
      const entries = ['control', ...Array.from({ length: WORKERS }, () => 'main')];
      for (const entry of entries) {
        const child = start(
          [join(ROOT, 'dist', 'workers', `${entry}.js`), '--metrics-port', '0'],
          configFile,
        );
        cleanUp.add(() => end(child));
      }
    }
    const ports: number[] = [];
    for (let web = 0; web < WEBS; web += 1) {
      const orders = {
        name: `web-${web + 1}`,
        dependency: `http://127.0.0.1:${dependency.port}/rate`,
        ...{ database, organisations, configFile, seed: web + 1 },
      };
      const child = start(
        [
          '-r',
          join(ROOT, 'scripts', 'register.cjs'),
          join(__dirname, 'books-web.ts'),
          JSON.stringify(orders),
        ],
        configFile,
      );
      cleanUp.add(() => end(child));
      ports.push(await portOf(child));
    }
    const store = new DegradationStore(postgres.connect('platform'));
    if (platform)
      await until(async () => (await store.processes(10_000)).length === WEBS + WORKERS + 1, {
        limitMs: 120_000,
        what: 'all processes to follow the level',
      });
    return { ports, dependency, store, stop: () => cleanUp.run() };
  });
}

async function prepare(postgres: RealPostgres): Promise<string[]> {
  const [books, platform] = [
    await postgres.createDatabase('books'),
    await postgres.createDatabase('platform'),
  ];
  await applyMigrations(platform, 'platform');
  await applyMigrations(books, 'application');
  await installAccuBooks(books);
  const organisations: string[] = [];
  for (let nth = 0; nth < 20; nth += 1) {
    const options = { name: `Office ${nth}`, invoices: 20 };
    organisations.push((await seedOrganisation(books, options, seededRandom(nth))).id);
  }
  return organisations;
}

function configuration(postgres: RealPostgres, temporal: string, degradation: unknown) {
  return {
    temporal: { address: temporal },
    platform: { database: postgres.connection('platform') },
    application: {
      database: postgres.connection('books'),
      backup: { stanza: 'none', configFile: '/none', scratchDirectory: join(postgres.directory, 'scratch') },
    },
    tenancy: { table: 'public.organisations', columns: ['organisation_id'] },
    degradation,
  };
}

function start(args: readonly string[], configFile: string | undefined): ChildProcess {
  return spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...(configFile && { CHRONAWFLOW_CONFIG: configFile }) },
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

const ready = z.object({ port: z.number() });

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the web process ended with ${code}`)));
    if (child.stdout === null) throw new Error('the web process has no output');
    createInterface(child.stdout).on('line', (line) => resolve(ready.parse(JSON.parse(line)).port));
  });
}
