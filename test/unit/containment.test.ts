import fc from 'fast-check';
import { parseConfig } from '../../config';
import {
  type ContainmentTarget,
  containmentId,
  containmentWorkflowId,
  judgeNoise,
  type NoiseRule,
  type NoiseState,
  parseContainmentInput,
  planParts,
  resourceOf,
  type Uses,
} from '../../core/containment';

const name = fc.string({ minLength: 1, maxLength: 12 });
const targets: fc.Arbitrary<ContainmentTarget> = fc.oneof(
  fc.record({ strategy: fc.constant('isolate-tenant' as const), tenant: name }),
  fc.record({ strategy: fc.constant('read-only' as const), tenant: name }),
  fc.record({ strategy: fc.constant('open-breaker' as const), service: name, operation: name, tenant: name }),
  fc.record({ strategy: fc.constant('drain-endpoint' as const), service: name, endpoint: name }),
  fc.record({ strategy: fc.constant('hold-queue' as const), tenant: name, type: name }),
);

describe('a containment', () => {
  test('takes each resource once, and different resources have different names', () => {
    fc.assert(
      fc.property(targets, targets, (one, other) => {
        const parts = [...planParts(one, [{ service: 'a', operation: 'b' }]), ...planParts(other, [])];
        const texts = parts.map(resourceOf);
        const distinct = new Set(parts.map((part) => JSON.stringify(part, Object.keys(part).sort())));
        expect(new Set(texts).size).toBe(distinct.size);
      }),
    );
  });

  test('has an ID of its workflow, which is the same for every attempt', () => {
    const target = { strategy: 'isolate-tenant', tenant: 'a/b' } as const;
    const id = containmentWorkflowId(target, 'x');
    expect(id).toBe('containment/tenant/a%2Fb/x');
    expect(containmentId(id)).toMatch(/^c[0-9a-f]{12}$/);
    expect(containmentId(id)).not.toBe(containmentId(containmentWorkflowId(target, 'y')));
  });

  test.each([
    [{ target: { strategy: 'hold-queue' } }, 'name the tenant, the type or both'],
    [{ target: { strategy: 'isolate-tenant', tenant: '' } }, 'tenant'],
    [{ target: { strategy: 'explode', tenant: 'a' } }, 'strategy'],
    [{ forMs: 90_000_000 }, 'at most 86400000 ms'],
    [{ reason: '' }, 'reason'],
  ])('is refused when it makes no sense: %j', (change, message) => {
    const sound = { target: { strategy: 'isolate-tenant', tenant: 'a' }, reason: 'r', requestedBy: 'ada' };
    expect(parseContainmentInput(sound, 86_400_000)).toEqual(sound);
    expect(() => parseContainmentInput({ ...sound, ...change }, 86_400_000)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(message) }),
    );
  });

  test('has a lease of two seconds at least', () => {
    const config = (section: string) =>
      parseConfig(
        [
          'platform: { database: { host: h, database: d, user: u } }',
          'application: { database: { host: h, database: d, user: u }, backup: { stanza: s, configFile: f } }',
          'tenancy: { table: public.tenants }',
          section,
        ].join('\n'),
        { file: '/etc/chronawflow.yaml', env: {} },
      ).containment;
    expect(config('').lease).toBe(60_000);
    expect(() => config('containment: { lease: 1s }')).toThrow('a lease has at least 2 s (line 4)');
    expect(() => config('containment: { longest: 1m }')).toThrow('is shorter than `for`');
  });
});

describe('a noisy tenant', () => {
  const rule: NoiseRule = {
    share: 0.5,
    least: { 'in-flight': 10, errors: 10, 'database-time': 10 },
    looks: 3,
    except: ['vip'],
  };
  const uses = (values: Record<string, number>): Uses => ({
    'in-flight': Object.entries(values).map(([tenant, value]) => ({ tenant, value })),
    errors: [],
    'database-time': [],
  });
  const look = (times: number, given: Uses, from: NoiseState = new Map()) => {
    let state = from;
    let noisy: ReturnType<typeof judgeNoise>[1] = [];
    for (let n = 0; n < times; n += 1) [state, noisy] = judgeNoise(state, given, rule);
    return { state, noisy };
  };

  test('has most of what all use, so many looks in a row', () => {
    const loud = uses({ a: 12, b: 3, c: 1 });
    expect(look(2, loud).noisy).toEqual([]);
    expect(look(3, loud).noisy).toEqual([{ tenant: 'a', signal: 'in-flight', share: 0.75 }]);
    const quietBetween = look(1, uses({ a: 2, b: 9 }), look(2, loud).state);
    expect(look(2, loud, quietBetween.state).noisy).toEqual([]);
  });

  test('is nobody when there is little, nobody else, or an exception', () => {
    expect(look(3, uses({ a: 8, b: 1 })).noisy).toEqual([]);
    expect(look(3, uses({ a: 80 })).noisy).toEqual([]);
    expect(look(3, uses({ vip: 80, b: 1 })).noisy).toEqual([]);
  });

  test('is neither found nor forgotten by a signal that cannot be read', () => {
    const loud = uses({ a: 12, b: 3 });
    const blind = { ...loud, 'in-flight': undefined };
    const after = look(5, blind, look(2, loud).state);
    expect(after.noisy).toEqual([]);
    expect(look(1, loud, after.state).noisy).toHaveLength(1);
  });

  test('never is one with less than the share, whatever is seen', () => {
    const seen = fc.array(
      fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 0, max: 50 })),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(seen, (looks) => {
        let state: NoiseState = new Map();
        for (const values of looks) {
          const [next, noisy] = judgeNoise(state, uses(values), rule);
          state = next;
          const all = Object.values(values).reduce((sum, value) => sum + value, 0);
          for (const { tenant } of noisy) expect((values[tenant] ?? 0) / all).toBeGreaterThanOrEqual(0.5);
        }
      }),
    );
  });
});
