import { TILE_WIDTH } from '../merkle';
import type { NewEntry } from './take-events';

/** Entries that follow each other in one log, all within one bundle of 256. */
export interface Run {
  /** Of the first of them. */
  readonly first: number;
  readonly entries: readonly NewEntry[];
}

export interface CutEntries {
  /** Each but the first begins a bundle, and each ends one. */
  readonly full: readonly Run[];
  /** What lies behind the last end of a bundle; it may be empty. */
  readonly rest: Run;
}

/** Cuts new entries of a log where its bundles end. */
export function cutBundles({ first, entries }: Run): CutEntries {
  const full: Run[] = [];
  let at = 0;
  for (;;) {
    const width = TILE_WIDTH - ((first + at) % TILE_WIDTH);
    if (at + width > entries.length) return { full, rest: { first: first + at, entries: entries.slice(at) } };
    full.push({ first: first + at, entries: entries.slice(at, at + width) });
    at += width;
  }
}
