import fc from 'fast-check';
import { configSchema } from '../../config/schema';
import { TENANT_FROZEN_SQLSTATE } from '../../core/recovery/gate';
import {
  accuBooksTenancy,
  classifyWriteFailure,
  OFFICE_WORK,
  OrganisationGoneError,
  seededRandom,
  TENANT_FROZEN,
} from '../../examples/accubooks';
import { toCents, toNumeric } from '../../examples/accubooks/money';
import { chooseWork } from '../../examples/accubooks/office-work';
import { integerBetween, pick, randomUuid } from '../../examples/accubooks/random';

describe('the seeded random source', () => {
  it('stays in [0, 1) and repeats itself', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const [one, two] = [seededRandom(seed), seededRandom(seed)];
        for (let n = 0; n < 20; n += 1) {
          const value = one();
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThan(1);
          expect(two()).toBe(value);
        }
      }),
    );
  });

  it('keeps integers within both bounds and picks what is there', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: -99, max: 99 }), fc.nat(50), (seed, least, width) => {
        const value = integerBetween(seededRandom(seed), least, least + width);
        expect(Number.isInteger(value) && value >= least && value <= least + width).toBe(true);
        expect(['a', 'b']).toContain(pick(seededRandom(seed), ['a', 'b']));
      }),
    );
  });

  it('makes UUIDs of version 4', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(randomUuid(seededRandom(seed))).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        );
      }),
    );
  });
});

it('money survives the way to numeric and back', () => {
  fc.assert(
    fc.property(fc.nat(99_999_999_999), (cents) => {
      expect(toNumeric(cents)).toMatch(/^\d+\.\d\d$/);
      expect(toCents(toNumeric(cents))).toBe(cents);
    }),
  );
});

it('office work is chosen by weight', () => {
  const total = OFFICE_WORK.reduce((sum, one) => sum + one.weight, 0);
  const chosen = Array.from({ length: total }, (_, n) => chooseWork(OFFICE_WORK, n / total + 1e-9).name);
  for (const one of OFFICE_WORK) expect(chosen.filter((name) => name === one.name)).toHaveLength(one.weight);
});

it('the tenancy block is one that chronawflow.yaml accepts as it is', () => {
  expect(configSchema.shape.tenancy.parse(accuBooksTenancy)).toEqual(accuBooksTenancy);
});

describe('a failed write', () => {
  it('of a frozen tenant has the SQLSTATE that the gate raises', () => {
    expect(TENANT_FROZEN).toBe(TENANT_FROZEN_SQLSTATE);
  });

  const failure = (code: string | undefined, message = '') =>
    classifyWriteFailure(Object.assign(new Error(message), code === undefined ? {} : { code }));

  it.each([
    ['TF001', 'frozen'],
    ['57P01', 'disconnected'],
    ['08006', 'disconnected'],
    ['ECONNREFUSED', 'disconnected'],
    ['40P01', 'contended'],
    ['55P03', 'contended'],
    ['23503', 'gone'],
    ['23505', 'fatal'],
    ['42P01', 'fatal'],
  ])('with code %s is %s', (code, kind) => {
    expect(failure(code)).toBe(kind);
  });

  it('without a code is told by what pg says', () => {
    expect(failure(undefined, 'Connection terminated unexpectedly')).toBe('disconnected');
    expect(failure(undefined, 'Cannot use a pool after calling end on the pool')).toBe('fatal');
    expect(classifyWriteFailure(new OrganisationGoneError('x'))).toBe('gone');
    expect(classifyWriteFailure('thrown text')).toBe('fatal');
  });
});
