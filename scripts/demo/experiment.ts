import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { parse, stringify } from 'yaml';
import { type ChaosRun, Chronawflow } from '../../client';
import { stopGuards } from '../../core/chaos';
import { type Administrator, APPLICATION } from '../../core/local-stack';
import { JobWorker } from './job-worker';
import { heading, line } from './narrate';

const LIMIT_MS = 60_000;
/** Short, so that nobody has to wait for the demo; 15 s unless it is set. */
const LEASE_TERM = '4s';

/** A chaos experiment whose controllers are killed with SIGKILL while its fault is there: the fault ends with its lease. */
export async function experimentUnderFire(
  pool: Pool,
  stackConfig: string,
  administrator: Administrator,
): Promise<void> {
  heading('8. A chaos experiment, and what leads it is killed');
  const journal = join(dirname(stackConfig), 'chaos');
  const configFile = await configWithChaos(stackConfig, journal, administrator);
  const cf = await Chronawflow.connect({ configFile });
  let controllers = await JobWorker.start(configFile, 'control');
  try {
    const run = await cf.chaosEngineering.injectFault({
      driver: 'postgres.read-only',
      target: 'application-db',
      duration: '1m',
      requestedBy: 'demo operator',
      reason: 'what if nobody is left to roll it back?',
    });
    line(`${run.workflowId}: the application's database refuses writes for a minute`);
    await writesAre(pool, 'refused');
    await observing(run);
    line(`a write: refused; it is true: ${await setting(pool)}`);
    await controllers.end('SIGKILL');
    const killedAt = performance.now();
    line(
      `kill -9 ${controllers.pid}: nobody is left who would roll back; the lease says ${LEASE_TERM} without a renewal`,
    );
    await writesAre(pool, 'taken');
    line(
      `a write: taken, ${((performance.now() - killedAt) / 1_000).toFixed(1)} s after the kill; ${await setting(pool)}`,
    );
    controllers = await JobWorker.start(configFile, 'control');
    const report = await run.result();
    line(`other controllers go on with the run: ${report.verdict}`);
    for (const { driver, reason, endedBy } of report.faults)
      line(`${driver}: ended by ${endedBy}, ${reason}`);
    line(`residual faults: ${report.residual}`);
    if (report.residual > 0) throw new Error('a fault is left');
  } finally {
    await controllers.end('SIGTERM');
    await cf.close();
    await stopGuards(journal);
    await Promise.all([journal, configFile].map((path) => rm(path, { recursive: true, force: true })));
  }
}

/** The stack's configuration with a target, on a task queue of its own: the stack has controllers as well. */
async function configWithChaos(
  stackConfig: string,
  directory: string,
  administrator: Administrator,
): Promise<string> {
  const config = parse(await readFile(stackConfig, 'utf8'));
  const { host, port, user } = administrator;
  const chaos = {
    directory,
    leaseTerm: LEASE_TERM,
    targets: {
      'application-db': {
        kind: 'postgres',
        database: { host, port, user, database: APPLICATION.database },
      },
    },
  };
  const temporal = { ...config.temporal, taskQueue: 'chronawflow-demo' };
  const file = join(dirname(stackConfig), 'chronawflow-chaos.yaml');
  await writeFile(file, stringify({ ...config, temporal, chaos }), { mode: 0o600 });
  return file;
}

async function observing(run: ChaosRun): Promise<void> {
  const limit = Date.now() + LIMIT_MS;
  while ((await run.status()).phase !== 'observing') {
    if (Date.now() > limit) throw new Error(`the experiment does not observe within ${LIMIT_MS} ms`);
    await sleep(50);
  }
}

async function writesAre(pool: Pool, wanted: 'taken' | 'refused'): Promise<void> {
  const limit = Date.now() + LIMIT_MS;
  for (;;) {
    const refused = await pool.query('create temporary table if not exists written (n int)').then(
      () => false,
      () => true,
    );
    if (refused === (wanted === 'refused')) return;
    if (Date.now() > limit) throw new Error(`writes are not ${wanted} within ${LIMIT_MS} ms`);
    await sleep(50);
  }
}

async function setting(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ setting: string }>(
    `select 'default_transaction_read_only = ' || current_setting('default_transaction_read_only') as setting`,
  );
  return rows[0]?.setting ?? '';
}
