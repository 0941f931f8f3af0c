import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { parse, stringify } from 'yaml';
import { examine, registerDoctor } from '../../client/cli/doctor';
import { loadConfig } from '../../config';
import { runProgram, runsAsRoot } from '../../core/cluster';
import { examineParts } from '../../core/doctor';
import { type RealApplication, startApplication } from '../support/real-application';
import { type RealTemporal, startTemporal } from '../support/temporal-server';
import { until } from '../support/until';

describe('chronawflow doctor', () => {
  let app: RealApplication;
  let temporal: RealTemporal;
  let directory: string;
  let configFile: string;

  jest.setTimeout(240_000);
  beforeAll(async () => {
    const starting = [startApplication({ schema }), startTemporal()] as const;
    await Promise.allSettled(starting);
    app = await starting[0];
    temporal = await starting[1];
    directory = await mkdtemp(join(tmpdir(), 'cf-doctor-'));
    configFile = await writeConfig();
    await app.archiveNow();
  });
  afterAll(async () => {
    await Promise.all([app?.stop(), temporal?.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  const schema = (superuser: RealApplication['superuser']) =>
    superuser.query(`
      create table tenants (id text primary key);
      create table "Orders" (id int primary key, tenant_id text references tenants);
      create function touch() returns trigger language plpgsql as 'begin return new; end';
      create trigger "Touch" before update on "Orders" for each row execute function touch();`);

  /** The fixture's configuration with some of it changed: `change` gets the parsed YAML. */
  const writeConfig = async (change: (config: Settings) => void = () => undefined): Promise<string> => {
    const config: Settings = parse(app.configText);
    config.temporal = { address: temporal.address };
    change(config);
    const file = join(directory, `${Math.random()}.yaml`);
    await writeFile(file, stringify(config));
    return file;
  };
  interface Settings {
    temporal: { address: string };
    tenancy: { table: string; overrides?: Record<string, object> };
    application: { backup: { stanza: string; scratchDirectory: string } };
  }

  const examined = (file = configFile) => examine(file, () => undefined);
  // Temporal needs five seconds to say how it orders a queue.
  const examinedParts = (file = configFile) =>
    examineParts(loadConfig({ configFile: file }), () => undefined);
  const not = async (state: 'ok' | 'broken', looking = examinedParts()) =>
    (await looking).filter((finding) => finding.state !== state);
  const broken = async (looking = examinedParts()) =>
    (await looking).filter(({ state }) => state === 'broken');

  /** Breaks something, looks, and mends it whatever was seen. */
  const during = async (breaking: string, mending: string, look: () => Promise<void>) => {
    await app.superuser.query(breaking);
    try {
      await look();
    } finally {
      await app.superuser.query(mending);
    }
  };

  it('is content with a complete installation: only a worker is missing, and told is what is off', async () => {
    expect((await not('ok', examined())).map(({ name, state }) => `${name}: ${state}`)).toEqual([
      'worker: warning',
      'payload encryption: warning',
      'operators: warning',
    ]);
  });

  it('finds a table that is nobody’s before a restore does, with the line to write', async () => {
    expect(await examinedParts()).toContainEqual({
      name: 'table owners',
      state: 'ok',
      detail: '2 tables have a tenant',
    });
    await during('create table alone (id int primary key)', 'drop table alone', async () => {
      expect(await broken()).toEqual([
        expect.objectContaining({
          name: 'table owners',
          detail: expect.stringMatching(/public\.alone[\s\S]*public\.alone: \{ mode: shared \}/),
          fix: expect.stringContaining('tenancy.overrides'),
        }),
      ]);
      const settled = await writeConfig((config) => {
        config.tenancy.overrides = { 'public.alone': { mode: 'shared' } };
      });
      expect(await examinedParts(settled)).toContainEqual(
        expect.objectContaining({ name: 'table owners', detail: '2 tables have a tenant, 1 shared' }),
      );
    });
  });

  it('says so by its exit code and as JSON', async () => {
    const written: string[] = [];
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    const run = async (...args: string[]) => {
      const program = new Command();
      registerDoctor(program);
      await program.parseAsync(['doctor', ...args], { from: 'user' });
    };
    try {
      await run('--json', '--config', configFile);
      expect(process.exitCode).toBeUndefined();
      expect(JSON.parse(written.join(''))).toMatchObject({ healthy: true });
      await run('--config', join(directory, 'missing.yaml'));
      expect(process.exitCode).toBe(1);
      expect(written.at(-1)).toContain('1 broken');
    } finally {
      write.mockRestore();
      process.exitCode = undefined;
    }
  });

  it('names what is wrong in the configuration', async () => {
    const file = join(directory, 'wrong.yaml');
    await writeFile(file, 'temporall: {}\n');
    expect(await broken(examined(file))).toEqual([
      expect.objectContaining({
        name: 'configuration',
        detail: expect.stringContaining("did you mean 'temporal'"),
      }),
    ]);
  });

  it('misses Temporal, and a search attribute', async () => {
    const elsewhere = await writeConfig((config) => {
      config.temporal.address = '127.0.0.1:1';
    });
    expect(await broken(examined(elsewhere))).toEqual([expect.objectContaining({ name: 'Temporal' })]);

    const attribute = ['search-attribute', '--address', temporal.address, '--name', 'Outcome'];
    const [group = '', ...rest] = attribute;
    await runProgram(temporal.cli, ['operator', group, 'remove', ...rest, '--yes']);
    try {
      expect(await broken(examined())).toEqual([
        expect.objectContaining({
          name: 'search attributes',
          fix: 'temporal operator search-attribute create --name Outcome --type Keyword',
        }),
      ]);
    } finally {
      await runProgram(temporal.cli, ['operator', group, 'create', ...rest, '--type', 'Keyword']);
    }
  });

  it.each([
    [
      'the right to leave user triggers unfired',
      'revoke set on parameter session_replication_role from chronawflow',
      'grant set on parameter session_replication_role to chronawflow',
      'SET on session_replication_role',
    ],
    [
      'the right to create the triggers of a freeze',
      'revoke trigger on "Orders" from chronawflow',
      'grant trigger on "Orders" to chronawflow',
      'public.Orders',
    ],
    [
      'the right to close a WAL segment',
      'revoke execute on function pg_switch_wal() from chronawflow',
      'grant execute on function pg_switch_wal() to chronawflow',
      'pg_switch_wal',
    ],
  ])('misses %s', async (_, breaking, mending, missing) => {
    await during(breaking, mending, async () => {
      expect(await broken()).toEqual([
        expect.objectContaining({ name: 'application role', detail: expect.stringContaining(missing) }),
      ]);
    });
  });

  it('refuses a role that row level security hides rows from', async () => {
    await during(
      'alter role chronawflow nobypassrls; alter table "Orders" enable row level security',
      'alter role chronawflow bypassrls; alter table "Orders" disable row level security',
      async () => {
        expect(await broken()).toEqual([
          expect.objectContaining({ name: 'row level security', fix: 'alter role "chronawflow" bypassrls;' }),
        ]);
      },
    );
  });

  it('warns of a superuser', async () => {
    await during('alter role chronawflow superuser', 'alter role chronawflow nosuperuser', async () => {
      expect(await not('ok')).toContainEqual(
        expect.objectContaining({ state: 'warning', detail: expect.stringContaining('is a superuser') }),
      );
    });
  });

  it('finds triggers that would fire during a merge, unless they are allowed', async () => {
    await during(
      'alter table "Orders" enable always trigger "Touch"',
      'alter table "Orders" enable trigger "Touch"',
      async () => {
        expect(await broken()).toEqual([
          expect.objectContaining({
            name: 'triggers',
            fix: expect.stringContaining('alter table "Orders" enable trigger "Touch";'),
          }),
        ]);
        const allowing = await writeConfig((config) => {
          config.tenancy.overrides = { 'public.Orders': { allowTriggers: 'Touch' } };
        });
        expect(await broken(examinedParts(allowing))).toEqual([]);
      },
    );
  });

  it('finds subscriptions whose writes no freeze stops', async () => {
    await app.superuser.query(
      `create subscription incoming connection 'host=/nowhere' publication p with (connect = false)`,
    );
    await during(
      'alter subscription incoming enable',
      `alter subscription incoming disable;
       alter subscription incoming set (slot_name = none)`,
      async () => {
        expect(await not('ok')).toContainEqual(
          expect.objectContaining({ name: 'subscriptions', state: 'warning' }),
        );
      },
    );
    await app.superuser.query('drop subscription incoming');
  });

  it('sees that a segment cannot be archived', async () => {
    const failing = async () =>
      (await app.superuser.query('select from pg_stat_archiver where last_failed_time > last_archived_time'))
        .rowCount === 1;
    await chmod(app.repository.configFile, 0o000);
    try {
      await app.superuser.query('create table public.wal_to_archive ()');
      await app.superuser.query('drop table public.wal_to_archive');
      await app.superuser.query('select pg_switch_wal()');
      await until(failing);
      expect(await broken()).toContainEqual(
        expect.objectContaining({
          name: 'WAL archiving',
          detail: expect.stringContaining('fails to archive'),
        }),
      );
    } finally {
      await chmod(app.repository.configFile, 0o600);
    }
    // The archiver tries again after a minute, or when it is woken.
    await app.superuser.query('select pg_reload_conf()');
    await until(async () => !(await failing()), { limitMs: 90_000 });
  });

  it('misses the stanza, and says how to make it', async () => {
    const other = await writeConfig((config) => {
      config.application.backup.stanza = 'other';
    });
    expect(await broken(examinedParts(other))).toEqual([
      expect.objectContaining({
        name: 'backup repository',
        fix: expect.stringMatching(/--stanza=other stanza-create$/),
      }),
    ]);
  });

  it('names the directory that keeps the server user out of scratch', async () => {
    if (!runsAsRoot()) return;
    const closed = join(directory, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const file = await writeConfig((config) => {
      config.application.backup.scratchDirectory = join(closed, 'scratch');
    });
    expect(await broken(examinedParts(file))).toEqual([
      expect.objectContaining({ name: 'scratch directory', fix: expect.stringContaining('chmod o+x') }),
    ]);
  });

  it('misses a migration', async () => {
    await during(
      `delete from chronawflow.migration where name = '001-recovery.sql'`,
      `insert into chronawflow.migration (name) values ('001-recovery.sql')`,
      async () => {
        expect(await broken()).toEqual([
          expect.objectContaining({
            name: 'application migrations',
            detail: 'not applied: 001-recovery.sql',
          }),
        ]);
      },
    );
  });

  it('warns when the audit log could be changed', async () => {
    const owner = app.platformCluster.connect('chronawflow');
    await owner.query('grant update on chronawflow.audit_event to chronawflow');
    expect(await not('ok')).toContainEqual(expect.objectContaining({ name: 'audit log', state: 'warning' }));
    await owner.query('revoke update on chronawflow.audit_event from chronawflow');
  });

  it('skips what is behind a server that is away', async () => {
    await app.platformCluster.halt();
    try {
      expect(await not('ok')).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ name: 'control-plane database', state: 'broken' }),
          expect.objectContaining({ name: 'what is in the control-plane database', state: 'skipped' }),
        ]),
      );
    } finally {
      await app.platformCluster.start();
    }
  });
});
