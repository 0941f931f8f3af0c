import { copiesInBinary } from '../../core/recovery/slice/binary-copy.pure';

const column = (storageType: string, typeKind = 'b') => ({ storageType, typeKind });

test.each([
  'integer',
  'numeric(12,2)',
  'numeric(3,-2)',
  'character varying(80)',
  'timestamp(3) with time zone',
  'time without time zone',
  'text[]',
  'daterange',
  'bit varying(8)',
])('%s is copied in binary', (type) => {
  expect(copiesInBinary([column('uuid'), column(type)])).toBe(true);
});

test.each(['regclass', 'public.citext', 'public.integer', 'money_bag', '"char"', 'xml', 'public."Mood"[]'])(
  'a table with %s is copied as text',
  (type) => {
    expect(copiesInBinary([column('uuid'), column(type)])).toBe(false);
  },
);

test('an enum travels by its label, an array of enums would carry an OID', () => {
  expect(copiesInBinary([column('public.mood', 'e')])).toBe(true);
  expect(copiesInBinary([column('public.mood[]', 'b')])).toBe(false);
});
