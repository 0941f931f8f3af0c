import { query } from 'json-p3';
import type { Tolerance } from './experiment';
import { patternOf } from './pattern.pure';

type Object_ = Readonly<Record<string, unknown>>;
type PureTolerance = Exclude<Tolerance, { readonly type: 'probe' }>;

/**
 * Whether a probe's value is within its tolerance, by Chaos Toolkit's rules
 * (https://chaostoolkit.org/reference/api/experiment/#steady-state-probe-tolerance): a value of an HTTP or a process probe is
 * compared by its `status` with a number or a list; two numbers in a list are bounds; everything else has to be equal.
 */
export function withinTolerance(tolerance: PureTolerance, value: unknown): boolean {
  if (Array.isArray(tolerance)) return withinList(tolerance, value);
  if (typeof tolerance === 'number') return statusOf(value) === tolerance;
  if (typeof tolerance !== 'object' || tolerance === null) return value === tolerance;
  const looked = aimedAt(value, tolerance.target);
  switch (tolerance.type) {
    case 'regex':
      return typeof looked === 'string' && patternOf(tolerance.pattern)?.test(looked) === true;
    case 'range':
      return withinRange(tolerance.range, looked);
    case 'jsonpath':
      return matchesPath(tolerance, looked);
  }
}

function withinList(list: readonly unknown[], value: unknown): boolean {
  const looked = statusOf(value);
  if (isObject(value) && 'status' in value) return list.includes(looked);
  const [low, high] = list;
  if (list.length === 2 && typeof low === 'number' && typeof high === 'number')
    return typeof looked === 'number' && low <= looked && looked <= high;
  return list.includes(looked);
}

function withinRange([low, high]: readonly [number, number], value: unknown): boolean {
  if (typeof value !== 'number' && (typeof value !== 'string' || value.trim() === '')) return false;
  const looked = Number(value);
  return Number.isFinite(looked) && low <= looked && looked <= high;
}

function matchesPath(
  { path, count, expect }: { readonly path: string; readonly count?: number; readonly expect?: unknown },
  value: unknown,
): boolean {
  const json = typeof value === 'string' ? parsed(value) : value;
  if (json === null || typeof json !== 'object') return false;
  const found = valuesAt(path, json);
  if (expect !== undefined) return same(found, Array.isArray(expect) ? expect : [expect]);
  return count === undefined ? found.length > 0 : found.length === count;
}

function valuesAt(path: string, json: object): unknown[] {
  try {
    return query(path, JSON.parse(JSON.stringify(json))).values();
  } catch {
    return [];
  }
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, ordered(value[key])]),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function statusOf(value: unknown): unknown {
  return isObject(value) && 'status' in value ? value.status : value;
}

function aimedAt(value: unknown, target: string | undefined): unknown {
  return target !== undefined && isObject(value) && Object.hasOwn(value, target) ? value[target] : value;
}

function isObject(value: unknown): value is Object_ {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
