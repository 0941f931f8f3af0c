import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Connection } from '@temporalio/client';
import { serverStatus } from '../../core/cluster';
import { sweeper } from '../support/orphan-guard';
import { type RealApplication, startApplication } from '../support/real-application';
import { startPostgres } from '../support/real-postgres';
import { startTemporal } from '../support/temporal-server';
import { until } from '../support/until';

describe('the fixtures of the tests', () => {
  it('start a throwaway cluster and leave nothing behind', async () => {
    const postgres = await startPostgres();
    const db = await postgres.createDatabase('Weird "name"');
    expect((await db.query('select current_database() as name')).rows).toEqual([{ name: 'Weird "name"' }]);
    await postgres.stop();
    expect(existsSync(postgres.directory)).toBe(false);
    expect(await serverStatus(postgres.dataDirectory)).toMatchObject({ kind: 'stopped', orphans: [] });
  });

  it('start a Temporal server that survives its own crash', async () => {
    const temporal = await startTemporal({ file: true });
    try {
      const ask = async () => {
        const connection = await Connection.connect({ address: temporal.address });
        try {
          return await connection.operatorService.listSearchAttributes({ namespace: temporal.namespace });
        } finally {
          await connection.close();
        }
      };
      const wanted = ['Capability', 'Outcome', 'Phase', 'TenantId'];
      expect(Object.keys((await ask()).customAttributes)).toEqual(expect.arrayContaining(wanted));
      await temporal.kill();
      await temporal.start();
      expect(Object.keys((await ask()).customAttributes)).toEqual(expect.arrayContaining(wanted));
    } finally {
      await temporal.stop();
    }
    expect(existsSync(temporal.directory)).toBe(false);
  });

  it('are swept up when the test process is killed', async () => {
    const postgres = await startPostgres();
    // Stands for a jest worker: it holds the sweeper's standard input, and is killed.
    const script = `
      const [file, args] = JSON.parse(process.argv[1]);
      require('node:child_process').spawn(file, args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
      process.stdout.write('ready');`;
    const holder = spawn(process.execPath, ['-e', script, JSON.stringify(sweeper(postgres.directory))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    expect((await serverStatus(postgres.dataDirectory)).kind).toBe('running');
    holder.kill('SIGKILL');
    await until(() => !existsSync(postgres.directory));
    expect(await serverStatus(postgres.dataDirectory)).toMatchObject({ kind: 'stopped', orphans: [] });
    await postgres.stop();
  });
});

describe('a real application', () => {
  let app: RealApplication;

  beforeAll(async () => {
    app = await startApplication({
      schema: (superuser) =>
        superuser.query(`create table tenants (id text primary key); insert into tenants values ('acme')`),
    });
  });
  afterAll(() => app?.stop());

  it('has archiving, a backup, and a role with the least rights', async () => {
    await app.archiveNow();
    expect(JSON.parse(await app.pgBackRest('--output=json', 'info'))).toMatchObject([
      { name: 'app', cipher: 'aes-256-cbc', status: { code: 0 }, backup: [{ type: 'full', error: false }] },
    ]);
    const { rows } = await app.application.query(
      `select rolsuper as super, rolbypassrls as bypass, current_setting('track_commit_timestamp') as stamps,
              has_parameter_privilege('session_replication_role', 'set') as replica,
              has_table_privilege('public.tenants', 'trigger') as trigger
         from pg_roles where rolname = current_user`,
    );
    expect(rows).toEqual([{ super: false, bypass: true, stamps: 'on', replica: true, trigger: true }]);
  });

  it('has a control plane whose audit log can only grow', async () => {
    const insert = `insert into chronawflow.audit_event (id, actor, action, outcome) values ('1', 'a', 'b', 'c')`;
    await app.platform.query(insert);
    await expect(app.platform.query('delete from chronawflow.audit_event')).rejects.toThrow(
      /permission denied/,
    );
    await expect(app.platform.query(`update chronawflow.audit_event set actor = 'x'`)).rejects.toThrow(
      /permission denied/,
    );
  });
});
