import { chown, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runsAsRoot, serverUser } from '../../core/cluster';
import { type ConnectionSettings, createClient, createPool } from '../../database';
import { CleanUp } from '../support/clean-up';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { type IssuedCertificate, TlsAuthority } from '../support/tls-authority';

const cleanUp = new CleanUp();
let postgres: RealPostgres;
let authority: TlsAuthority;
let stranger: TlsAuthority;
let client: IssuedCertificate;

/** Its certificate is for db.example and localhost, and it is reached at 127.0.0.1. */
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'chronawflow-tls-'));
  cleanUp.add(() => rm(directory, { recursive: true, force: true }));
  [authority, stranger] = await Promise.all([
    TlsAuthority.make(directory, 'ours'),
    TlsAuthority.make(directory, 'theirs'),
  ]);
  const server = await authority.issue('server', 'db', ['DNS:db.example', 'DNS:localhost']);
  client = await authority.issue('client', 'mutual');
  postgres = await startPostgres({ tcp: true });
  cleanUp.add(() => postgres.stop());
  const { dataDirectory } = postgres;
  const install = async (from: string, name: string) => {
    await copyFile(from, join(dataDirectory, name));
    const { uid, gid } = await serverUser();
    if (runsAsRoot()) await chown(join(dataDirectory, name), uid, gid);
  };
  await install(server.certFile, 'server.crt');
  await install(server.keyFile, 'server.key');
  await install(authority.caFile, 'root.crt');
  await writeFile(
    join(dataDirectory, 'pg_hba.conf'),
    `local all all trust
hostssl all mutual 127.0.0.1/32 cert
hostssl all all 127.0.0.1/32 trust
hostnossl all all 127.0.0.1/32 reject
`,
  );
  const superuser = postgres.connect();
  await superuser.query('create role mutual login');
  for (const [name, value] of [
    ['ssl', 'on'],
    ['ssl_ca_file', 'root.crt'],
  ])
    await superuser.query(`alter system set ${name} = '${value}'`);
  await superuser.query('select pg_reload_conf()');
  await superuser.end();
  // The postmaster has read its files when it offers TLS.
  await postgres.halt();
  await postgres.start();
}, 240_000);

afterAll(() => cleanUp.run());

const at = (ssl: ConnectionSettings['ssl'], user = 'postgres'): ConnectionSettings => ({
  host: '127.0.0.1',
  port: postgres.port,
  database: 'postgres',
  user,
  ssl,
});

/** Whether the server sees TLS, and whose certificate; or the code of the refusal. */
async function connect(connection: ConnectionSettings): Promise<unknown> {
  const pool = createPool(connection, { applicationName: 'test', max: 1, connectTimeoutMs: 30_000 });
  try {
    const { rows } = await pool.query<{ ssl: boolean; client: string | null }>(
      'select ssl, client_dn as client from pg_stat_ssl where pid = pg_backend_pid()',
    );
    return rows[0];
  } catch (error) {
    return Reflect.get(Object(error), 'code');
  } finally {
    await pool.end();
  }
}

test('a server whose authority and name are known is talked to in TLS', async () => {
  const ssl = { caFile: authority.caFile, serverName: 'db.example' };
  await expect(connect(at(ssl))).resolves.toEqual({ ssl: true, client: null });
  const listener = createClient(at(ssl), { applicationName: 'test' });
  await listener.connect();
  await expect(
    listener.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()'),
  ).resolves.toMatchObject({ rows: [{ ssl: true }] });
  await listener.end();
});

test('without TLS the server refuses, and nothing falls back to it', async () => {
  await expect(connect(at(false))).resolves.toBe('28000');
});

test('a certificate of another authority is refused, also where no authority is named', async () => {
  await expect(connect(at({ caFile: stranger.caFile, serverName: 'db.example' }))).resolves.toMatch(
    /UNABLE_TO_VERIFY|SELF_SIGNED/,
  );
  await expect(connect(at(true))).resolves.toMatch(/UNABLE_TO|SELF_SIGNED/);
});

test('a certificate of another name is refused, also one for localhost when the host is an address', async () => {
  await expect(connect(at({ caFile: authority.caFile }))).resolves.toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  await expect(connect(at({ caFile: authority.caFile, serverName: 'other.example' }))).resolves.toBe(
    'ERR_TLS_CERT_ALTNAME_INVALID',
  );
});

test('a server that asks for a certificate is shown ours', async () => {
  const ssl = { caFile: authority.caFile, serverName: 'db.example' };
  await expect(connect(at(ssl, 'mutual'))).resolves.toBe('28000');
  await expect(connect(at({ ...ssl, ...client }, 'mutual'))).resolves.toEqual({
    ssl: true,
    client: '/CN=mutual',
  });
});

test('a file that is not there is named', () => {
  expect(() => createPool(at({ caFile: '/none/ca.crt' }), { applicationName: 'test' })).toThrow(
    expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining('/none/ca.crt') }),
  );
});
