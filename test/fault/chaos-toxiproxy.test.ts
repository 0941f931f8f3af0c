import { readdirSync, readFileSync } from 'node:fs';
import { resolveFault } from '../../core/chaos/host';
import { findFault } from '../support/chaos-checker';
import { type ChaosStage, startChaosStage } from '../support/chaos-stage';
import { kill } from '../support/kill';
import { injectLasting, LATENCY, rollBack } from '../support/lasting-fault';
import { until } from '../support/until';

let stage: ChaosStage;
beforeAll(async () => {
  stage = await startChaosStage();
}, 240_000);
afterAll(() => stage?.stop(), 120_000);

const PROXIES = ['proxy-1', 'proxy-2', 'proxy-3'];

const inject = (wanted: Parameters<typeof injectLasting>[1]) => injectLasting(stage, wanted);

async function expectWhole(): Promise<void> {
  for (const target of PROXIES)
    expect(await findFault(stage, { id: '', ...LATENCY, target })).toBeUndefined();
}

/** PIDs of every Toxiproxy of this stage, known to somebody or not: by its command line. */
function servers(): number[] {
  const port = new URL(stage.toxiproxy.url).port;
  return readdirSync('/proc').flatMap((entry) => {
    try {
      const line = readFileSync(`/proc/${Number(entry)}/cmdline`, 'utf8').split('\0');
      return line[0]?.endsWith('toxiproxy-server') && line.includes(port) ? [Number(entry)] : [];
    } catch {
      return [];
    }
  });
}

test('a restarted Toxiproxy gets its proxies back, and a connection through them is tried', async () => {
  const lease = await inject({ driver: 'toxiproxy.down', target: 'proxy-1' });
  kill(await stage.toxiproxy.pid());
  await until(async () => (await findFault(stage, lease)) === 'Toxiproxy does not answer');
  await rollBack(stage.host, lease);
  await expectWhole();
}, 300_000);

test('a Toxiproxy that hangs on the removal is restarted, and its proxies recreated', async () => {
  const lease = await inject(LATENCY);
  const pid = await stage.toxiproxy.pid();
  if (pid === undefined) throw new Error('Toxiproxy does not run');
  process.kill(pid, 'SIGSTOP');
  await rollBack(stage.host, lease);
  expect(await stage.toxiproxy.pid()).not.toBe(pid);
  expect(await findFault(stage, lease)).toBeUndefined();
}, 300_000);

test('faults that end at the same moment restart a dead Toxiproxy once', async () => {
  const leases = [];
  for (const target of PROXIES) leases.push(await inject({ ...LATENCY, target }));
  await stage.toxiproxy.kill();
  await Promise.all(leases.map((lease) => rollBack(stage.host, lease)));
  await expectWhole();
  expect(servers()).toEqual([await stage.toxiproxy.pid()]);
}, 300_000);

test('who ends a fault late leaves the Toxiproxy alone that another end has started', async () => {
  const first = await inject(LATENCY);
  const second = await inject({ ...LATENCY, target: 'proxy-2' });
  await stage.toxiproxy.kill();
  await rollBack(stage.host, first);
  const pid = await stage.toxiproxy.pid();
  await rollBack(stage.host, second);
  expect(await stage.toxiproxy.pid()).toBe(pid);
  await expectWhole();
}, 300_000);

test('a fault that begins while Toxiproxy comes back knows the proxies that are still missing', async () => {
  const first = await inject({ ...LATENCY, target: 'proxy-2' });
  // As if whoever brings it back had come to its first proxy only.
  for (const proxy of ['proxy-2', 'proxy-3'])
    expect((await fetch(`${stage.toxiproxy.url}/proxies/${proxy}`, { method: 'DELETE' })).ok).toBe(true);
  const second = await inject(LATENCY);
  await rollBack(stage.host, first);
  expect(await findFault(stage, { ...second, target: 'proxy-3' })).toBeUndefined();
  await stage.toxiproxy.kill();
  await rollBack(stage.host, second);
  await expectWhole();
}, 300_000);

test('a fault has not ended as long as a proxy is missing that was there when it began', async () => {
  const lease = await inject({ driver: 'toxiproxy.down', target: 'proxy-1' });
  const { driver, target, parameters } = resolveFault(stage.host, lease);
  await fetch(`${stage.toxiproxy.url}/proxies/proxy-1`, { method: 'POST', body: '{"enabled":true}' });
  await fetch(`${stage.toxiproxy.url}/proxies/proxy-3`, { method: 'DELETE' });
  const call = { leaseId: lease.id, target, parameters, saved: lease.saved, pastDeadline: false };
  expect(await driver.isThere({ ...call, signal: AbortSignal.timeout(10_000) })).toBe(true);
  await rollBack(stage.host, lease);
  await expectWhole();
}, 300_000);
