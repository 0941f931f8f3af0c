import fc from 'fast-check';
import { checkExperiment, experimentHash, tenantOfExperiment } from '../../../core/chaos';

const calls = { driver: 'calls.error', target: 'calls', parameters: {} };

function tenantOf(extension: object, more: object = {}): string | undefined {
  const document = { title: 't', method: [], extensions: [{ name: 'chronawflow', ...extension }], ...more };
  return tenantOfExperiment(checkExperiment(document));
}

test('an experiment is one tenant’s when nothing of it can reach another one', () => {
  expect(tenantOf({ tenants: ['acme'], faults: [calls] })).toBe('acme');
  expect(tenantOf({ tenants: ['acme'], faults: [{ ...calls, parameters: { tenants: ['acme'] } }] })).toBe(
    'acme',
  );
});

const action = { type: 'action', name: 'a', provider: { type: 'http', url: 'http://127.0.0.1/' } };

test.each([
  ['names no tenant', { faults: [calls] }, {}],
  ['names two', { tenants: ['acme', 'birch'], faults: [calls] }, {}],
  [
    'has a fault that knows no tenants',
    { tenants: ['acme'], faults: [calls, { driver: 'toxiproxy.down', target: 'p' }] },
    {},
  ],
  [
    'has a fault of another tenant',
    { tenants: ['acme'], faults: [{ ...calls, parameters: { tenants: ['birch'] } }] },
    {},
  ],
  [
    'has a fault of everybody',
    { tenants: ['acme'], faults: [{ ...calls, parameters: { tenants: [] } }] },
    {},
  ],
  [
    'loads a service',
    { tenants: ['acme'], load: { url: 'http://127.0.0.1/', ratePerSecond: 1, around: '1s' } },
    {},
  ],
  ['has an action', { tenants: ['acme'] }, { method: [action] }],
  ['has an action among its rollbacks', { tenants: ['acme'] }, { rollbacks: [action] }],
])('an experiment that %s is the platform’s', (_, extension, more) => {
  expect(tenantOf(extension, more)).toBeUndefined();
});

test('whatever faults an experiment has, it is one tenant’s only if each is a fault of that tenant’s calls', () => {
  const fault = fc.record({
    driver: fc.constantFrom('calls.error', 'calls.latency', 'toxiproxy.down', 'process.kill'),
    target: fc.constant('x'),
    parameters: fc.constantFrom(
      {},
      { tenants: ['acme'] },
      { tenants: ['birch'] },
      { tenants: ['acme', 'birch'] },
    ),
  });
  fc.assert(
    fc.property(fc.array(fault, { maxLength: 5 }), (faults) => {
      const safe = faults.every(
        ({ driver, parameters }) =>
          driver.startsWith('calls.') &&
          (!('tenants' in parameters) || String(parameters.tenants) === 'acme'),
      );
      expect(tenantOf({ tenants: ['acme'], faults })).toBe(safe ? 'acme' : undefined);
    }),
  );
});

test('the hash is of what the experiment says, not of how it is written', () => {
  expect(experimentHash({ title: 't', method: [] })).toBe(experimentHash({ method: [], title: 't' }));
  expect(experimentHash({ title: 't', method: [] })).not.toBe(experimentHash({ title: 'u', method: [] }));
});
