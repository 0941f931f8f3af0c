import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { TemporalLink } from '../../client/temporal-link';
import { parseConfig, temporalConnection } from '../../config';
import { CleanUp } from '../support/clean-up';
import { temporalBehindTls } from '../support/temporal-behind-tls';
import { startTemporal } from '../support/temporal-server';
import { TlsAuthority } from '../support/tls-authority';

const API_KEY = 'key-of-this-deployment';

const cleanUp = new CleanUp();
let directory: string;
let address: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'chronawflow-temporal-tls-'));
  cleanUp.add(() => rm(directory, { recursive: true, force: true }));
  const authority = await TlsAuthority.make(directory, 'ours');
  const server = await authority.issue('server', 'temporal', ['DNS:temporal.example']);
  await authority.issue('client', 'worker');
  await (await TlsAuthority.make(directory, 'theirs')).issue('stranger', 'worker');
  await writeFile(join(directory, 'api.key'), `${API_KEY}\n`);
  const temporal = await startTemporal();
  cleanUp.add(() => temporal.stop());
  const front = await temporalBehindTls(temporal.address, {
    ...server,
    caFile: authority.caFile,
    apiKey: API_KEY,
  });
  cleanUp.add(() => front.close());
  address = front.address;
}, 240_000);

afterAll(() => cleanUp.run());

const FILES = {
  caFile: 'ours.crt',
  certFile: 'client.crt',
  keyFile: 'client.key',
  serverName: 'temporal.example',
};

/** The section as the configuration file beside the certificates has it. */
function configured(temporal: Readonly<Record<string, unknown>>) {
  const database = { host: 'h', database: 'd', user: 'u' };
  const config = {
    temporal: { address, ...temporal },
    platform: { database },
    application: { database, backup: { stanza: 's', configFile: 'c' } },
    tenancy: { table: 't' },
  };
  return parseConfig(JSON.stringify(config), { file: join(directory, 'chronawflow.yaml'), env: {} }).temporal;
}

test('a client and a worker connect with a certificate and the API key of a file', async () => {
  const temporal = configured({ tls: FILES, apiKeyFile: 'api.key' });
  const link = await TemporalLink.open(temporal);
  await expect(link.isRunning('nothing')).resolves.toBe(false);
  await link.close();
  const worker = await NativeConnection.connect(temporalConnection(temporal));
  await expect(new Client({ connection: worker }).workflow.count()).resolves.toMatchObject({ count: 0 });
  await worker.close();
});

test.each([
  ['without TLS', {}],
  [
    'without a certificate of its own',
    { tls: { caFile: 'ours.crt', serverName: 'temporal.example' }, apiKeyFile: 'api.key' },
  ],
  [
    'with a certificate of another authority',
    { tls: { ...FILES, certFile: 'stranger.crt', keyFile: 'stranger.key' }, apiKeyFile: 'api.key' },
  ],
  [
    'when the server’s authority is another',
    { tls: { ...FILES, caFile: 'theirs.crt' }, apiKeyFile: 'api.key' },
  ],
  [
    'when the server’s name is another',
    { tls: { ...FILES, serverName: 'other.example' }, apiKeyFile: 'api.key' },
  ],
  ['without the API key', { tls: FILES }],
  ['with another API key', { tls: FILES, apiKey: 'another' }],
])('%s nobody connects', async (_, temporal) => {
  const settings = configured(temporal);
  await Promise.all([
    expect(TemporalLink.open(settings)).rejects.toMatchObject({ code: 'TEMPORAL_UNAVAILABLE' }),
    expect(NativeConnection.connect(temporalConnection(settings))).rejects.toThrow(),
  ]);
});

test('a certificate without its key, and a file that is not there, are named', () => {
  expect(() => configured({ tls: { certFile: 'client.crt' } })).toThrow(/certFile and keyFile/);
  const missing = configured({ tls: { ...FILES, caFile: 'none.crt' } });
  expect(() => temporalConnection(missing)).toThrow(/temporal\.tls\.caFile cannot be read/);
  expect(() => configured({ apiKeyFile: 'none.key' })).toThrow(/temporal\.apiKeyFile cannot be read/);
});
