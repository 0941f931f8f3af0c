import { BreakerRegistry, ProtectedCalls } from '../../../core/protection';

const scene = () => {
  const breakers = new BreakerRegistry({ breaker: { consecutiveFailures: 2 } });
  const log = { warn: jest.fn() };
  return { log, calls: new ProtectedCalls({ breakers, timeout: 20, log }) };
};
const of = (tenant: string, service = 'mail') => ({ service, tenant, operation: 'send' });
const down = () => Promise.reject(new Error('down'));

test('each tenant has its own breaker for each service', async () => {
  const { calls } = scene();
  for (const _ of [1, 2]) await expect(calls.call(of('acme'), down)).rejects.toThrow('down');
  await expect(calls.call(of('acme'), down)).rejects.toMatchObject({ code: 'BREAKER_OPEN' });
  await expect(calls.call(of('birch'), () => 1)).resolves.toBe(1);
  await expect(calls.call(of('acme', 'tax'), () => 1)).resolves.toBe(1);
});

test('a call that hangs is given up, logged and counts against the service', async () => {
  const { calls, log } = scene();
  for (const _ of [1, 2]) {
    await expect(calls.call(of('acme'), () => new Promise(() => {}))).rejects.toMatchObject({
      code: 'TIMEOUT_EXCEEDED',
    });
  }
  await expect(calls.call(of('acme'), () => 1)).rejects.toMatchObject({ code: 'BREAKER_OPEN' });
  expect(log.warn).toHaveBeenCalledTimes(2);
});

test('the caller’s signal ends it', async () => {
  const { calls } = scene();
  await expect(calls.call(of('acme'), () => 1, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
});

test('more targets than it remembers are still served', async () => {
  const { calls } = scene();
  for (let i = 0; i < 1_100; i += 1) await expect(calls.call(of('acme', `s${i}`), () => i)).resolves.toBe(i);
});
