import fc from 'fast-check';
import { onColumn } from '../../core/recovery/diff/conflict-queries.pure';
import { Findings } from '../../core/recovery/diff/findings.pure';
import { setImageSettings } from '../../core/recovery/diff/image.pure';
import {
  addLanes,
  type Lanes,
  NO_ROWS,
  parseLanes,
  sliceDigest,
  subtractLanes,
} from '../../core/recovery/diff/slice-digest.pure';
import { joinColumns } from '../../core/recovery/slice/predicate.pure';
import { quoteIdentifier, quoteLiteral } from '../../database';

const hash = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const row = fc.record({ a: hash, b: hash });
const one = ({ a, b }: { a: bigint; b: bigint }): Lanes =>
  parseLanes({ rows: '1', a: String(a), b: String(b) });
const sum = (rows: readonly { a: bigint; b: bigint }[]) => rows.map(one).reduce(addLanes, NO_ROWS);

describe('digest of a slice', () => {
  test('it does not depend on the order of rows, and equals the sum that PostgreSQL makes', () => {
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const total = (lane: 'a' | 'b') => String(rows.reduce((all, next) => all + next[lane], 0n));
        const parsed = parseLanes({ rows: String(rows.length), a: total('a'), b: total('b') });
        expect(sum(rows)).toEqual(parsed);
        expect(sum([...rows].reverse())).toEqual(parsed);
      }),
    );
  });

  test('taking rows away is the inverse of adding them', () => {
    fc.assert(
      fc.property(fc.array(row), fc.array(row), (stay, go) => {
        expect(subtractLanes(sum([...stay, ...go]), sum(go))).toEqual(sum(stay));
      }),
    );
  });

  test('the name, the number of rows and each lane count, the order of tables does not', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 4 }),
        fc.array(row, { minLength: 4, maxLength: 4 }),
        (names, rows) => {
          const tables = new Map(names.map((name, i) => [name, sum(rows.slice(0, i + 1))]));
          const digest = sliceDigest(tables);
          expect(sliceDigest(new Map([...tables].reverse()))).toBe(digest);
          const [first = ''] = names;
          const lanes = tables.get(first) ?? NO_ROWS;
          for (const other of [
            { ...lanes, rows: lanes.rows + 1n },
            { ...lanes, a: lanes.a ^ 1n },
            { ...lanes, b: lanes.b ^ 1n },
          ])
            expect(sliceDigest(new Map([...tables, [first, other]]))).not.toBe(digest);
          expect(
            sliceDigest(new Map([...[...tables].slice(1), [`${first}x${names.join('')}`, lanes]])),
          ).not.toBe(digest);
        },
      ),
    );
  });

  test('sums of no rows are no rows', () => {
    expect(parseLanes({ rows: '0', a: null, b: null })).toEqual(NO_ROWS);
  });
});

/** Splits SQL into quoted identifiers, literals and the rest, by PostgreSQL's lexical rules. */
function unquoted(sql: string): string {
  return sql.replace(/E'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|"(?:[^"]|"")*"/gs, '');
}

const text = fc
  .string({ unit: fc.constantFrom('a', '"', "'", '\\', ';', '-', ' ', '$', '\n', 'é', '.') })
  .filter((s) => s !== '');

describe('quoting', () => {
  test('no identifier and no literal leaves its quotes', () => {
    fc.assert(
      fc.property(text, text, (name, value) => {
        expect(unquoted(quoteIdentifier(name))).toBe('');
        expect(unquoted(quoteLiteral(value)).trim()).toBe('');
      }),
    );
  });

  test('a join over hostile names is equalities of quoted columns and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 }), (pairs) => {
        const sql = joinColumns(
          pairs.map(([l]) => l),
          pairs.map(([, r]) => r),
          'x',
          'y',
        );
        expect(unquoted(sql)).toBe(pairs.map(() => 'x. = y.').join(' and '));
      }),
    );
  });

  test('the search path of images is quoted, with pg_catalog first', () => {
    fc.assert(
      fc.property(fc.array(text), (schemas) => {
        const settings = setImageSettings(schemas);
        expect(settings).toContain(
          `set local search_path = ${['pg_catalog', ...schemas].map(quoteIdentifier).join(', ')}`,
        );
        expect(unquoted(settings).split('; ')).toHaveLength(settings.split(/; set local /).length);
      }),
    );
  });
});

describe('a domain’s condition on a column', () => {
  test('VALUE becomes the column, in text and names it stays', () => {
    expect(
      onColumn(`((VALUE > 0) AND (VALUE <> 'VALUE'::text) AND ("VALUE"(VALUE) = 'it''s VALUE'))`, 'we"ird'),
    ).toBe(`(("we""ird" > 0) AND ("we""ird" <> 'VALUE'::text) AND ("VALUE"("we""ird") = 'it''s VALUE'))`);
  });
});

describe('conflicts over several passes', () => {
  const finding = (decision: 'block' | 'skip', rows: number, table = 't') => ({
    table,
    kind: 'referenced' as const,
    decision,
    rows,
    message: (n: number) => `${n} row(s)`,
  });

  test('what blocks is told as the last pass found it, what is skipped adds up', () => {
    const findings = new Findings();
    findings.nextPass();
    findings.add(finding('block', 3, 'u'));
    findings.add(finding('skip', 2));
    expect(findings.settledInPass).toBe(2);
    findings.nextPass();
    findings.add(finding('block', 1, 'u'));
    findings.add(finding('skip', 1));
    findings.nextPass();
    findings.add(finding('block', 1, 'u'));
    expect(findings.settledInPass).toBe(0);
    expect(findings.conflicts()).toEqual([
      { table: 't', kind: 'referenced', decision: 'skip', rows: 3, message: '3 row(s)' },
      { table: 'u', kind: 'referenced', decision: 'block', rows: 1, message: '1 row(s)' },
    ]);
  });
});
