import { setTimeout as sleep } from 'node:timers/promises';
import { connectTemporal } from '../../client/connect-temporal';
import { TemporalLink } from '../../client/temporal-link';
import { type Config, parseConfig } from '../../config';
import { freePorts } from '../../core/cluster';
import { CleanUp } from '../support/clean-up';
import { silentServer } from '../support/silent-server';
import { type RealTemporal, startTemporal } from '../support/temporal-server';

const cleanUp = new CleanUp();
let temporal: RealTemporal;

beforeAll(async () => {
  temporal = await startTemporal();
  cleanUp.add(() => temporal.stop());
}, 240_000);
afterAll(() => cleanUp.run(), 120_000);

function at(address: string): Config['temporal'] {
  const database = { host: 'h', database: 'd', user: 'u' };
  const raw = {
    temporal: { address },
    platform: { database },
    application: { database, backup: { stanza: 's', configFile: 'c' } },
    tenancy: { table: 't' },
  };
  return parseConfig(JSON.stringify(raw), { file: '/none/chronawflow.yaml', env: {} }).temporal;
}

test('who connects while the server stands still for six seconds is connected when it goes on', async () => {
  await temporal.signal('SIGSTOP');
  try {
    const opening = TemporalLink.open(at(temporal.address));
    opening.catch(() => undefined);
    // The fault, not a wait: so long the server answers nobody.
    await sleep(6_000);
    await temporal.signal('SIGCONT');
    const link = await opening;
    expect(await link.isRunning('none')).toBe(false);
    await link.close();
  } finally {
    await temporal.signal('SIGCONT');
  }
}, 120_000);

test('who is refused is told why, and not only when the time is over', async () => {
  const [port] = await freePorts(1);
  // What waits for the whole limit says nothing of the refusal.
  await expect(TemporalLink.open(at(`127.0.0.1:${port}`))).rejects.toMatchObject({
    code: 'TEMPORAL_UNAVAILABLE',
    cause: expect.objectContaining({ message: expect.stringContaining('ECONNREFUSED') }),
  });
});

test('who speaks with something that never answers is told so in the end', async () => {
  const address = await silentServer(cleanUp);
  await expect(connectTemporal(at(address), '1s')).rejects.toThrow(/deadline/i);
}, 120_000);
