import { readFileSync } from 'node:fs';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { z } from 'zod';
import { whenMissing } from '../../errors';
import { ScratchNotOursError } from '../errors/scratch-not-ours-error';
import type { ResolvedTarget } from '../types';
import type { ScratchPaths } from './scratch-paths.pure';

const markerSchema = z.object({
  format: z.literal(1),
  restoreId: z.string(),
  host: z.string(),
  /** What is restored here; a directory is never used for another target. */
  target: z.string(),
  state: z.enum(['restoring', 'restored']),
  /** Name of the bootstrap superuser, known once the server ran. */
  superuser: z.string().optional(),
  /** Rows in which people were erased again after the promotion, by all tries together. */
  rowsErased: z.number().optional(),
  /** What was validated and compared before the cluster was promoted: afterwards it can no longer be. */
  promoting: z
    .object({
      timeline: z.number(),
      replayLsn: z.string(),
      lastCommit: z.string().optional(),
      stoppedBecause: z.string(),
      completedSince: z
        .object({
          jobs: z.number(),
          steps: z.number(),
          requests: z.number(),
          first: z
            .array(
              z.object({
                tenant: z.string(),
                kind: z.enum(['job', 'step', 'request']),
                type: z.string(),
                key: z.string(),
                step: z.string(),
                completedAt: z.string(),
              }),
            )
            .readonly(),
        })
        .optional(),
    })
    .optional(),
});

/** Says that a directory was made by a restore, and how far that restore is. */
export type Marker = z.output<typeof markerSchema>;

export function newMarker(restoreId: string, target: ResolvedTarget): Marker {
  return { format: 1, restoreId, host: hostname(), target: targetKey(target), state: 'restoring' };
}

/** The fence may differ between two tries of the same step; what is restored does not. */
export function targetKey(target: ResolvedTarget): string {
  return `${target.kind} ${target.value} timeline ${target.timeline} from ${target.backupLabel} of ${target.systemId}`;
}

/** Replaced in one step, so that a crash leaves the old or the new one. */
export async function writeMarker(paths: ScratchPaths, marker: Marker): Promise<void> {
  const draft = `${paths.marker}.draft`;
  await writeFile(draft, `${JSON.stringify(marker)}\n`, { mode: 0o600 });
  await rename(draft, paths.marker);
}

/**
 * @returns undefined when there is no directory, or one in which nothing happened yet.
 * @throws ScratchNotOursError for a directory with content and without a marker.
 */
export async function readMarker(paths: ScratchPaths): Promise<Marker | undefined> {
  const text = await readFile(paths.marker, 'utf8').catch(whenMissing(undefined));
  if (text !== undefined) return parseMarker(paths, text);
  const names = (await readdir(paths.root).catch(whenMissing(undefined))) ?? [];
  refuseForeign(paths, names);
  return undefined;
}

/** For callers that cannot wait, such as the making of a pool. */
export function readMarkerSync(paths: ScratchPaths): Marker | undefined {
  try {
    return parseMarker(paths, readFileSync(paths.marker, 'utf8'));
  } catch (error) {
    return whenMissing(undefined)(error);
  }
}

function refuseForeign(paths: ScratchPaths, names: readonly string[]): void {
  const foreign = names.filter((name) => !paths.marker.endsWith(name.replace(/\.draft$/, '')));
  if (foreign.length === 0) return;
  throw new ScratchNotOursError(
    paths.root,
    `it holds ${foreign.slice(0, 3).join(', ')} and no marker of a restore`,
  );
}

function parseMarker(paths: ScratchPaths, text: string): Marker {
  const parsed = markerSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new ScratchNotOursError(
    paths.root,
    `its marker is not understood (${parsed.error.issues[0]?.message})`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Not JSON is not a marker; the schema refuses undefined with its own message.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
