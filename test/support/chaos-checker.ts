import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { Connection, Client as TemporalClient } from '@temporalio/client';
import { Client } from 'pg';
import type { ChaosStage } from './chaos-stage';

const execute = promisify(execFile);

/** Longer than a busy machine stops a process that is well. */
const LOOK_LIMIT_MS = 15_000;

/**
 * Looks whether a fault is there, by ways of its own: Toxiproxy's API, a connection through the proxy, /proc, pg_settings,
 * pg_locks, pg_stat_activity, Temporal's count, tc, the files. It shares no code with what injects and ends faults.
 *
 * @returns what was found, or undefined
 */
export async function findFault(
  stage: ChaosStage,
  fault: { readonly id: string; readonly driver: string; readonly target: string },
): Promise<string | undefined> {
  const [family = ''] = fault.driver.split('.');
  switch (family) {
    case 'toxiproxy':
      return lookThroughProxy(stage, fault.target);
    case 'process':
      return lookAtProcess(stage.unitFile);
    case 'postgres':
      return fault.driver === 'postgres.replication-paused'
        ? lookAtStandby(stage, fault.target)
        : lookAtServer(stage);
    case 'backup':
      return lookAtBackup(stage.backupFile);
    case 'network':
      return lookAtNetwork(fault.target);
    case 'disk':
      return lookAtDisk(stage, fault.target);
    case 'pressure':
      return lookAtHost(stage, fault.target);
    case 'calls':
      return lookAtCalls(stage, fault.target);
    case 'temporal':
      return lookAtQueue(stage, fault.target);
    default:
      throw new Error(`the checker does not know ${fault.driver}`);
  }
}

async function lookThroughProxy(stage: ChaosStage, name: string): Promise<string | undefined> {
  const answer = await fetch(`${stage.toxiproxy.url}/proxies/${name}`, {
    signal: AbortSignal.timeout(LOOK_LIMIT_MS),
  }).catch(() => undefined);
  if (answer === undefined) return 'Toxiproxy does not answer';
  if (answer.status !== 200) return `the proxy ${name} is missing`;
  const proxy: { enabled: boolean; toxics: unknown[] } = JSON.parse(await answer.text());
  if (!proxy.enabled) return `the proxy ${name} is disabled`;
  if (proxy.toxics.length > 0) return `the proxy ${name} has toxics: ${JSON.stringify(proxy.toxics)}`;
  return (await canConnect(stage.proxyPorts[name] ?? 0)) ? undefined : `the proxy ${name} accepts nothing`;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(LOOK_LIMIT_MS, () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function lookAtProcess(unitFile: string): string | undefined {
  const { pid }: { pid: number } = JSON.parse(readFileSync(unitFile, 'utf8'));
  const status = readLines(`/proc/${pid}/status`);
  const state = status.find((line) => line.startsWith('State:'));
  if (state === undefined) return 'the process is gone';
  return /State:\s+[TtZX]/.test(state) ? `the process is ${state}` : undefined;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // Moved away, perhaps since it was listed.
    return undefined;
  }
}

const EXPECTED: Readonly<Record<string, string>> = {
  default_transaction_read_only: 'off',
  enable_indexscan: 'on',
  enable_indexonlyscan: 'on',
  enable_bitmapscan: 'on',
  archive_command: '/bin/true',
};

async function lookAtServer(stage: ChaosStage): Promise<string | undefined> {
  const { host, port, user, database } = stage.database.connection('postgres');
  const client = new Client({
    host,
    port,
    user,
    database,
    connectionTimeoutMillis: LOOK_LIMIT_MS,
    application_name: 'checker',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const settings = await client.query<{ name: string; setting: string }>(
      'select name, setting from pg_settings where name = any ($1)',
      [Object.keys(EXPECTED)],
    );
    const wrong = settings.rows.find(({ name, setting }) => EXPECTED[name] !== setting);
    if (wrong !== undefined) return `${wrong.name} is ${wrong.setting}`;
    const locks = await client.query(
      `select 1 from pg_locks where relation = 'public.ledger'::regclass and granted and pid <> pg_backend_pid()`,
    );
    if (locks.rows.length > 0) return 'public.ledger is locked';
    const sessions = await client.query(
      `select application_name from pg_stat_activity where application_name ~ '^chronawflow chaos f'`,
    );
    return sessions.rows.length > 0 ? `${sessions.rows.length} sessions of a fault are open` : undefined;
  } catch (error) {
    return `the server does not take the checker: ${String(error)}`;
  } finally {
    client.end().catch(() => undefined);
  }
}

async function lookAtStandby(stage: ChaosStage, name: string): Promise<string | undefined> {
  const target = stage.host.targets[name];
  if (target?.kind !== 'postgres') throw new Error(`${name} is no server`);
  const { host, port, user, database } = target.database;
  const client = new Client({
    ...{ host, port, user, database },
    connectionTimeoutMillis: LOOK_LIMIT_MS,
    application_name: 'checker',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ paused: boolean; sessions: number }>(
      `select pg_is_wal_replay_paused() as paused,
              (select count(*)::int from pg_stat_activity where application_name ~ '^chronawflow chaos f') as sessions`,
    );
    if (rows[0]?.paused !== false) return 'the standby does not replay';
    return rows[0].sessions > 0 ? `${rows[0].sessions} sessions of a fault are open` : undefined;
  } catch (error) {
    return `the standby does not take the checker: ${String(error)}`;
  } finally {
    client.end().catch(() => undefined);
  }
}

/** Temporal's own count of what runs in the queue, where nothing else does. */
async function lookAtQueue(stage: ChaosStage, name: string): Promise<string | undefined> {
  const target = stage.host.targets[name];
  if (target?.kind !== 'task-queue') throw new Error(`${name} is no task queue`);
  const { taskQueue } = target;
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({
      address: stage.temporal?.address,
      connectTimeout: LOOK_LIMIT_MS,
    });
    const { workflow } = new TemporalClient({ connection });
    const { count } = await workflow.count(`TaskQueue = '${taskQueue}' and ExecutionStatus = 'Running'`);
    return count > 0 ? `${count} workflows run in ${taskQueue}` : undefined;
  } catch (error) {
    return `Temporal does not take the checker: ${String(error)}`;
  } finally {
    await connection?.close();
  }
}

const originals = new Map<string, string>();

/** The first look is at the file as it was. */
function lookAtBackup(file: string): string | undefined {
  const beside = readdirSync(dirname(file));
  const content = readOrNothing(file);
  if (content === undefined || beside.length > 1) return `the repository holds ${beside.join(', ')}`;
  // Made of one random name again and again: a flipped bit breaks the repetition.
  const unit = content.slice(0, 36);
  if (!originals.has(file)) originals.set(file, unit);
  return content === unit.repeat(50) && originals.get(file) === unit
    ? undefined
    : 'base.tar is not what it was';
}

async function lookAtNetwork(namespace: string): Promise<string | undefined> {
  const { stdout } = await execute('ip', ['netns', 'exec', namespace, 'tc', 'qdisc', 'show']);
  return /netem|bfifo/.test(stdout) ? stdout.trim() : undefined;
}

function pathOf(stage: ChaosStage, name: string, of: 'path' | 'directory'): string {
  const target: object = stage.host.targets[name] ?? {};
  const path: unknown = Reflect.get(target, of);
  if (typeof path !== 'string') throw new Error(`the target ${name} has no ${of}`);
  return path;
}

/** It is empty but for what fills it. */
async function lookAtDisk(stage: ChaosStage, name: string): Promise<string | undefined> {
  const { bavail, blocks } = await statfs(pathOf(stage, name, 'path'));
  return bavail < blocks / 2 ? `${bavail} of ${blocks} blocks are free` : undefined;
}

/** stress-ng of this stage: what it was started by has the stage's configuration in its environment. */
function lookAtHost(stage: ChaosStage, name: string): string | undefined {
  const pids = readdirSync('/proc').filter((pid) => {
    const [program = ''] = readLines(`/proc/${pid}/comm`);
    return (
      /^(stress-ng|timeout)/.test(program) &&
      readLines(`/proc/${pid}/environ`).join().includes(stage.configFile)
    );
  });
  if (pids.length > 0) return `stress-ng runs as ${pids.join(', ')}`;
  const left = readdirSync(pathOf(stage, name, 'directory')).filter((file) => file.startsWith('chaos-'));
  return left.length > 0 ? `its directory holds ${left.join(', ')}` : undefined;
}

/** What processes that follow the control plane read there. */
async function lookAtCalls(stage: ChaosStage, name: string): Promise<string | undefined> {
  const { host, port, user, database } = stage.controlPlane.connection('platform');
  const client = new Client({ host, port, user, database, connectionTimeoutMillis: LOOK_LIMIT_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ driver: string }>(
      `select driver from chronawflow.fault_lease
        where target = $1 and injected_at is not null and ended_at is null and deadline > clock_timestamp()`,
      [name],
    );
    return rows[0] === undefined ? undefined : `${rows[0].driver} is in effect`;
  } catch (error) {
    return `the control plane does not take the checker: ${String(error)}`;
  } finally {
    client.end().catch(() => undefined);
  }
}
