import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { Chronawflow } from '../../client';
import { type Config, parseConfig } from '../../config';
import { hasCode } from '../../core/errors';
import type { CleanUp } from './clean-up';
import { type JobStage, type JobStageOptions, rawJobConfig, startJobStage } from './job-stage';
import { JobWorkerProcess } from './job-worker-process';
import { ensureBuilt } from './restore-stage-worker';

/** Servers for one test file: tenants t1 to t9 with rows in `notes`, the controllers' role with exactly its rights. */
export async function startContainmentStage(
  options: Pick<JobStageOptions, 'dynamicConfig'> = {},
): Promise<JobStage> {
  const stage = await startJobStage(options);
  await stage.app.query(
    `drop table effect;
     create table notes (id integer generated always as identity, tenant_id text not null references tenants)`,
  );
  await stage.platform.query('create role chronawflow_control login');
  await stage.platform.query(readFileSync(join(__dirname, '../../deploy/postgres/control-role.sql'), 'utf8'));
  return stage;
}

export interface ContainmentScene {
  readonly cf: Chronawflow;
  readonly config: Config;
  readonly configFile: string;
  /** A controllers' process; killed by the clean-up. */
  startControl(): Promise<JobWorkerProcess>;
  stop(): Promise<void>;
}

/** A deployment of its own on the stage's servers: other task queues, nothing contained. */
export async function openContainmentScene(
  stage: JobStage,
  cleanUp: CleanUp,
  sections: Readonly<Record<string, unknown>>,
): Promise<ContainmentScene> {
  const raw = {
    ...rawJobConfig(stage, {}, `q-${randomUUID()}`),
    control: { database: stage.postgres.connection('platform', 'chronawflow_control') },
    ...sections,
  };
  const configFile = join(stage.postgres.directory, `${randomUUID()}.yaml`);
  await writeFile(configFile, stringify(raw));
  const config = parseConfig(stringify(raw), { file: configFile, env: {} });
  const cf = await Chronawflow.connect({ config });
  cleanUp.add(() => cf.close());
  return {
    cf,
    config,
    configFile,
    startControl: async () => {
      await ensureBuilt();
      const control = new JobWorkerProcess(configFile, 'control');
      cleanUp.add(() => control.kill());
      await control.start();
      return control;
    },
    stop: () => cleanUp.run(),
  };
}

/** Which effects hold a tenant now, asked of the databases as its services are. */
export async function effectsOn(stage: JobStage, tenant: string): Promise<string[]> {
  const [{ rows: held }, { rows: limited }] = await Promise.all([
    stage.app.query<{ effect: string }>(
      `select 'hold' as effect from chronawflow.job_hold
       where tenant = $1 and kind = 'containment' and until > clock_timestamp()`,
      [tenant],
    ),
    stage.platform.query<{ effect: string }>(
      `select 'floor' as effect from chronawflow.rate_rule where tenant = $1 and floor_until > clock_timestamp()
       union all
       select 'breaker' from chronawflow.breaker_state
       where tenant = $1 and state = 'isolated' and until > clock_timestamp()`,
      [tenant],
    ),
  ]);
  const gate = (await writes(stage, tenant)) ? [] : ['gate'];
  return [...held.map(({ effect }) => effect), ...limited.map(({ effect }) => effect), ...gate].sort();
}

/** Whether the tenant can write now. */
export async function writes(stage: JobStage, tenant: string): Promise<boolean> {
  try {
    await stage.app.query('insert into notes (tenant_id) values ($1)', [tenant]);
    return true;
  } catch (error) {
    if (hasCode(error, 'TF001')) return false;
    throw error;
  }
}

/** Everything that a containment might have changed, for a comparison of before and after. */
export async function whatStands(stage: JobStage): Promise<unknown> {
  const read = async (pool: typeof stage.app, sql: string) => (await pool.query(sql)).rows;
  return {
    holds: await read(stage.app, 'select * from chronawflow.job_hold order by tenant, type, key, kind'),
    gates: await read(stage.app, 'select restore_id from chronawflow.gate'),
    functions: await read(
      stage.app,
      `select proname from pg_proc where pronamespace = 'chronawflow'::regnamespace and proname like 'gate_of%'`,
    ),
    rules: await read(
      stage.platform,
      `select tenant, rules, changed_by, floor, floor_until, floor_by from chronawflow.rate_rule
       where rules is not null or floor is not null order by tenant`,
    ),
    breakers: await read(
      stage.platform,
      `select service, operation, tenant, state, until, changed_by from chronawflow.breaker_state
       where state <> 'closed' order by 1, 2, 3`,
    ),
  };
}
