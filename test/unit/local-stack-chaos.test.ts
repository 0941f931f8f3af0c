import fc from 'fast-check';
import { parseConfig } from '../../config';
import { ownNetwork } from '../../core/local-stack/chaos/own-network.pure';
import { watchInterval } from '../../workers/compliance-watch';

const port = fc.integer({ min: 20_000, max: 32_767 });

test('a network of its own has names that the kernel takes, and two addresses within one /30', () => {
  fc.assert(
    fc.property(port, (one) => {
      const network = ownNetwork(one);
      expect(network.outside.length).toBeLessThanOrEqual(15);
      expect(network.inside).not.toBe(network.outside);
      const last = (address: string) => Number(address.split('.').at(-1));
      expect(last(network.hostAddress) % 4).toBe(1);
      expect(last(network.address)).toBe(last(network.hostAddress) + 1);
      for (const part of network.address.split('.')) expect(Number(part)).toBeLessThanOrEqual(255);
    }),
  );
});

test('an RPO is looked at twice within it, but neither all the time nor less than every five minutes', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 86_400_000 }), { minLength: 1 }), (rpos) => {
      const every = watchInterval(rpos);
      expect(every).toBeGreaterThanOrEqual(5_000);
      expect(every).toBeLessThanOrEqual(300_000);
      if (every > 5_000) expect(every).toBeLessThanOrEqual(Math.min(...rpos) / 2);
    }),
  );
  expect(watchInterval([])).toBe(300_000);
});

test('a target of the network kind is taken under the name that the stack gives', () => {
  const { namespace, inside } = ownNetwork(24_400);
  const config = parseConfig(
    JSON.stringify({
      platform: { database: { host: '/none', database: 'd', user: 'u' } },
      application: {
        database: { host: '/none', database: 'd', user: 'u' },
        backup: { stanza: 'none', configFile: '/none' },
      },
      tenancy: { table: 'public.tenants' },
      chaos: { targets: { network: { kind: 'network', namespace, device: inside } } },
    }),
    { file: '/tmp/chronawflow.yaml', env: {} },
  );
  expect(config.chaos?.targets.network).toMatchObject({ namespace: 'chronawflow-24400', device: 'cf24400b' });
});
