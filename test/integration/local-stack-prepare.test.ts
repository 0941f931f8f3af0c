import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { examine } from '../../client/cli/doctor';
import { administrator, prepare } from '../../client/cli/prepare';
import { type RealPostgres, startPostgres } from '../support/real-postgres';

describe('chronawflow prepare', () => {
  let postgres: RealPostgres;
  let configFile: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    postgres = await startPostgres();
    const application = await postgres.createDatabase('shop');
    await application.query('create schema billing; create table billing.tenants (id text primary key)');
    const url = `postgresql:///?host=${encodeURIComponent(postgres.socketDirectory)}&user=postgres`;
    env = { CHRONAWFLOW_APPLICATION_ADMIN_URL: url, CHRONAWFLOW_PLATFORM_ADMIN_URL: url };
    configFile = join(postgres.directory, 'chronawflow.yaml');
    await writeFile(
      configFile,
      stringify({
        temporal: { address: '127.0.0.1:1' },
        platform: { database: postgres.connection('control', 'chronawflow') },
        application: {
          database: postgres.connection('shop', 'chronawflow'),
          backup: { stanza: 'shop', configFile: 'pgbackrest.conf', scratchDirectory: 'scratch' },
        },
        tenancy: { table: 'billing.tenants', schemas: ['billing'] },
      }),
    );
  });
  afterAll(() => postgres?.stop());

  it('makes what doctor misses in databases of one’s own, and can be repeated', async () => {
    const twice = [await prepare(configFile, env), await prepare(configFile, env)];
    expect(twice[1]).toEqual(['control-plane database', 'application database']);
    const findings = await examine(configFile, () => undefined);
    const good = findings.filter(({ state }) => state === 'ok').map(({ name }) => name);
    expect(good).toEqual(
      expect.arrayContaining([
        'platform migrations',
        'audit log',
        'application migrations',
        'application role',
        'tenant table',
      ]),
    );
  });

  it('touches nothing without an administrator’s connection', async () => {
    await expect(prepare(configFile, {})).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('reads the usual form of a connection, and never repeats one that is wrong', () => {
    expect(administrator('ADMIN', 'postgresql://ad%40min:s%2Fecret@db1:6432/x?sslmode=require')).toEqual({
      host: 'db1',
      port: 6432,
      user: 'ad@min',
      password: 's/ecret',
      ssl: true,
    });
    expect(() => administrator('ADMIN', 'secret@host')).toThrow(/^ADMIN is not a URL$/);
  });
});
