import fc from 'fast-check';
import {
  type CallFault,
  callFaults,
  disturbanceOf,
  disturbedNow,
  setCallFaults,
} from '../../../core/injection-points';
import { faultOf } from '../../../core/injection-points/follow-call-faults';
import { BreakerRegistry, ProtectedCalls } from '../../../core/protection';
import { until } from '../../support/until';

afterEach(() => setCallFaults([]));

const fault = (more: Partial<CallFault>): CallFault => ({
  id: 'f1',
  service: '*',
  share: 1,
  effect: { kind: 'error', message: 'wanted' },
  until: performance.now() + 60_000,
  ...more,
});

test('an idle point disturbs nothing', () => {
  expect(disturbanceOf('mail', 'send', 't1')).toBeUndefined();
  expect(Math.abs(disturbedNow('mail', 'send', 't1') - Date.now())).toBeLessThan(1_000);
});

test('only calls that fit are disturbed', async () => {
  setCallFaults([fault({ service: 'mail', operation: 'send', tenants: ['t1'] })]);
  await expect(disturbanceOf('mail', 'send', 't1')).rejects.toMatchObject({ code: 'CHAOS_INJECTED' });
  for (const [service, operation, tenant] of [
    ['tax', 'send', 't1'],
    ['mail', 'read', 't1'],
    ['mail', 'send', 't2'],
  ] as const)
    expect(disturbanceOf(service, operation, tenant)).toBeUndefined();
});

test('a share of the calls is disturbed', () => {
  setCallFaults([fault({ share: 0.3 })]);
  let hit = 0;
  for (let call = 0; call < 2_000; call += 1) {
    const disturbance = disturbanceOf('mail', 'send', 't1');
    disturbance?.catch(() => undefined);
    if (disturbance !== undefined) hit += 1;
  }
  // Binomial with n = 2000, p = 0.3: outside of these bounds once in 10^12 runs.
  expect(hit).toBeGreaterThan(450);
  expect(hit).toBeLessThan(750);
});

test('invariant 2: a fault ends by itself, a call that it holds too', async () => {
  setCallFaults([fault({ effect: { kind: 'timeout' }, until: performance.now() + 200 })]);
  await expect(disturbanceOf('mail', 'send', 't1')).rejects.toMatchObject({ code: 'CHAOS_INJECTED' });
  await until(() => callFaults().length === 0);
  expect(disturbanceOf('mail', 'send', 't1')).toBeUndefined();
});

test('the clock of input is off while it is wanted', () => {
  setCallFaults([fault({ effect: { kind: 'clock-skew', ms: -3_600_000 }, tenants: ['t1'] })]);
  expect(Date.now() - disturbedNow('ledger', 'post', 't1')).toBeGreaterThan(3_590_000);
  expect(Date.now() - disturbedNow('ledger', 'post', 't2')).toBeLessThan(1_000);
  expect(disturbanceOf('ledger', 'post', 't1')).toBeUndefined();
});

test('a protected call meets its fault inside its own guards', async () => {
  const calls = new ProtectedCalls({ breakers: new BreakerRegistry() });
  const key = { service: 'mail', operation: 'send', tenant: 't1' };
  let made = 0;
  const send = async () => {
    made += 1;
    return 'sent';
  };
  setCallFaults([fault({ service: 'mail' })]);
  await expect(calls.call(key, send)).rejects.toMatchObject({ code: 'CHAOS_INJECTED' });
  setCallFaults([]);
  await expect(calls.call(key, send)).resolves.toBe('sent');
  expect(made).toBe(1);
});

test('invariant 3: a row is followed only with good parameters at an allowed target', () => {
  const targets = { calls: { kind: 'calls' as const, service: 'mail' } };
  const row = {
    id: 'f1',
    driver: 'calls.latency',
    target: 'calls',
    parameters: { latencyMs: 5 },
    remaining: '1000',
  };
  expect(faultOf(row, targets)).toMatchObject([{ service: 'mail', effect: { kind: 'latency', ms: 5 } }]);
  expect(faultOf({ ...row, target: 'other' }, targets)).toEqual([]);
  expect(faultOf({ ...row, target: '__proto__' }, targets)).toEqual([]);
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), (driver, parameters) => {
      expect(faultOf({ ...row, driver, parameters }, targets).length).toBe(0);
    }),
  );
});
