import { z } from 'zod';
import type { ArchivedSegment, ArchiveListing } from '../provider';

/** Output of `pgbackrest repo-ls --output=json`: path → entry, relative to what was listed. */
const listingSchema = z.record(
  z.string(),
  z.object({
    type: z.enum(['path', 'file', 'link', 'special']),
    size: z.number().optional(),
    time: z.number().optional(),
  }),
);

export type Listing = z.output<typeof listingSchema>;

export function parseListing(json: string): Listing {
  return listingSchema.parse(JSON.parse(json));
}

/** The same listing seen from the directory above. */
export function below(directory: string, listing: Listing): Listing {
  return Object.fromEntries(Object.entries(listing).map(([path, entry]) => [`${directory}/${path}`, entry]));
}

/** `000000010000000000000003-a695…4a1d.zst`; partial segments and backup history files do not match. */
const SEGMENT_FILE = /^([0-9A-F]{24})-([0-9a-f]{40})(?:\.[a-z0-9]+)?$/;
const HISTORY_FILE = /^([0-9A-F]{8})\.history/;

/** Merges the listings of one cluster's archive directories (one per repository). An empty file is no segment. */
export function archiveListing(listings: readonly Listing[]): ArchiveListing {
  const segments = new Map<string, ArchivedSegment & { readonly checksum: string }>();
  const timelinesWithHistory = new Set<number>();
  for (const [path, entry] of listings.flatMap((listing) => Object.entries(listing))) {
    const file = path.slice(path.lastIndexOf('/') + 1);
    const history = HISTORY_FILE.exec(file);
    if (history?.[1] !== undefined) timelinesWithHistory.add(Number.parseInt(history[1], 16));
    const match = SEGMENT_FILE.exec(file);
    if (entry.type !== 'file' || !entry.size || match?.[1] === undefined || match[2] === undefined) continue;
    const earlier = segments.get(match[1]);
    segments.set(match[1], {
      checksum: match[2],
      bytes: entry.size,
      archivedAt: Math.min(entry.time ?? 0, earlier?.archivedAt ?? Number.POSITIVE_INFINITY),
      contradictory: earlier !== undefined && (earlier.contradictory || earlier.checksum !== match[2]),
    });
  }
  return { segments, timelinesWithHistory };
}
