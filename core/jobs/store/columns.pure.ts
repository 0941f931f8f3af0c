import type { JobRef } from '../types';

/** Tenants, types and keys as three parallel arrays, for `unnest`. */
export function refColumns(refs: readonly JobRef[]): [string[], string[], string[]] {
  return [refs.map((ref) => ref.tenant), refs.map((ref) => ref.type), refs.map((ref) => ref.key)];
}

/** One text for one job, whatever its parts contain. */
export function refText({ tenant, type, key }: JobRef): string {
  return JSON.stringify([tenant, type, key]);
}
