import { InvalidInputError } from '../../../core/errors';
import { BreakerRegistry, type RegistryOptions } from '../../../core/protection';
import { ManualClock } from '../../support/manual-clock';

const registryOf = (options: RegistryOptions = {}) => {
  const clock = new ManualClock();
  const registry = new BreakerRegistry({
    breaker: { consecutiveFailures: 1 },
    clock: clock.read,
    ...options,
  });
  const of = (tenant: string, service = 'tax', operation = 'rate') =>
    registry.get({ service, tenant, operation });
  return { clock, registry, of };
};
const open = { ok: false, durationMs: 1 };

test('each key has one breaker of its own', () => {
  const { of, registry } = registryOf();
  expect(of('acme')).toBe(of('acme'));
  of('acme').recordCall(open);
  expect([of('acme').isOpen(), of('birch').isOpen(), of('acme', 'mail').isOpen()]).toEqual([
    true,
    false,
    false,
  ]);
  expect(registry.size).toBe(3);
});

test('no two keys are one, whatever they are made of', () => {
  const { registry } = registryOf();
  const parts = ['', '/', 'a', 'a/b', 'b', '__proto__', 'a\u0000b'];
  for (const service of parts)
    for (const tenant of parts) for (const operation of parts) registry.get({ service, tenant, operation });
  expect(registry.size).toBe(parts.length ** 3);
});

test('its size is bounded: the least lately used goes, first those that are closed (8)', () => {
  const { of, registry } = registryOf({ limit: 3 });
  of('oldest').recordCall(open);
  of('second');
  of('third');
  of('fourth');
  expect(registry.size).toBe(3);
  expect(registry.peek({ service: 'tax', operation: 'rate', tenant: 'second' })).toBeUndefined();
  expect(of('oldest').isOpen()).toBe(true);
});

test('100,000 names that come once each leave no more than the limit', () => {
  const { of, registry } = registryOf({ limit: 1_000 });
  for (let i = 0; i < 100_000; i += 1) of(`t${i}`, `s${i % 7}`, `o${i % 11}`);
  expect(registry.size).toBe(1_000);
});

test('one that nobody asked for goes with a later request, but what is held by hand stays', () => {
  const { clock, of, registry } = registryOf({ idleAfter: '1m' });
  of('held').isolate('by hand');
  for (let i = 0; i < 10; i += 1) of(`idle-${i}`);
  clock.advance(60_000);
  for (let i = 0; i < 12; i += 1) of('busy');
  expect(registry.size).toBe(2);
  expect(of('held').isOpen()).toBe(true);
});

test('a call that ends after its breaker was dropped is counted nowhere', async () => {
  const { of, registry } = registryOf({ limit: 1 });
  let end = (_: Error) => {};
  const old = of('acme').execute(
    () =>
      new Promise((_, reject) => {
        end = reject;
      }),
  );
  of('birch');
  end(new Error('too late'));
  await expect(old).rejects.toThrow('too late');
  expect([...registry.notClosed()]).toEqual([]);
  expect(of('acme').isOpen()).toBe(false);
});

test('windows of dropped breakers are used again and begin empty', () => {
  const { of } = registryOf({ limit: 1, breaker: { consecutiveFailures: false, minimumCalls: 50 } });
  for (let i = 0; i < 5_000; i += 1) {
    const breaker = of(`t${i}`);
    expect(breaker.getState()).toMatchObject({ calls: 0, failed: 0 });
    breaker.recordCall(open);
    breaker.recordCall({ ok: true, durationMs: 1 });
  }
});

test('transitions of all breakers are told, with their key, and those not closed are listed', () => {
  const { of, registry, clock } = registryOf();
  const told: string[] = [];
  const stop = registry.onTransition(({ key, from, to }) =>
    told.push(`${key.tenant} ${from.kind} ${to.kind}`),
  );
  of('acme').recordCall(open);
  expect([...registry.notClosed()].map(({ key }) => key.tenant)).toEqual(['acme']);
  of('acme').isolate('test');
  of('acme').release();
  stop();
  of('birch').recordCall(open);
  expect(told).toEqual(['acme closed open', 'acme open isolated', 'acme isolated closed']);
  clock.advance(1);
});

test('a service may have rules of its own', () => {
  const { of } = registryOf({ services: { mail: { consecutiveFailures: 2 } } });
  of('acme', 'mail').recordCall(open);
  of('acme', 'tax').recordCall(open);
  expect([of('acme', 'mail').isOpen(), of('acme', 'tax').isOpen()]).toEqual([false, true]);
});

test.each([{ limit: 0 }, { limit: 1.5 }, { idleAfter: 0 }, { idleAfter: 'never' }])(
  '%j is refused',
  (options) => {
    expect(() => new BreakerRegistry(options)).toThrow(InvalidInputError);
    expect(() => new BreakerRegistry(options)).toThrow(Object.keys(options)[0] ?? '');
  },
);

test('the rules of a service are checked at construction as well (9)', () => {
  expect(() => new BreakerRegistry({ services: { mail: { probes: 0 } } })).toThrow('probes');
});
