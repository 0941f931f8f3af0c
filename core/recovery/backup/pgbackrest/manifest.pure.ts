import { z } from 'zod';
import type { RepositoryFileProblem } from '../provider';
import type { Listing } from './listing.pure';

/** A file of a backup as its manifest knows it; paths are relative to the stanza's backup directory. */
export interface ManifestFile {
  /** Without the extension of the compression. */
  readonly path: string;
  /** Bytes in the repository; absent for files that share a bundle with others. */
  readonly bytes?: number;
}

const fileSchema = z.object({
  size: z.number().optional(),
  'repo-size': z.number().optional(),
  reference: z.string().optional(),
  /** Bundle ID: small files share one file of the repository. */
  bni: z.number().optional(),
});

/** Extensions by which a stored file may differ from its name: compressions, and pgBackRest's block increments. */
const EXTENSIONS = ['', '.zst', '.lz4', '.gz', '.bz2', '.pgbi'] as const;

/**
 * Files that a backup needs, of itself and of the backups it builds on.
 * Source of the format: `backup.manifest` of pgBackRest 2.45 (an ini file whose values are JSON).
 */
export function manifestFiles(manifest: string, label: string): ManifestFile[] {
  const files = new Map<string, ManifestFile>();
  const bundled = /^option-bundle=true$/m.test(manifest);
  for (const [name, value] of sectionLines(manifest, 'target:file')) {
    const file = fileSchema.parse(JSON.parse(value));
    const owner = file.reference ?? label;
    const bytes = file['repo-size'] ?? file.size;
    // With bundling, empty files exist in the manifest only.
    if (bundled && file.size === 0) continue;
    const entry =
      file.bni === undefined ? { path: `${owner}/${name}`, bytes } : { path: `${owner}/bundle/${file.bni}` };
    files.set(entry.path, entry);
  }
  return [...files.values()];
}

/** What is missing in a listing of the backup directories, or has another size than the manifest says. */
export function compareFiles(files: readonly ManifestFile[], listing: Listing): RepositoryFileProblem[] {
  const problems: RepositoryFileProblem[] = [];
  for (const { path, bytes } of files) {
    const stored = EXTENSIONS.map((extension) => path + extension).find(
      (candidate) => listing[candidate]?.type === 'file',
    );
    if (stored === undefined) problems.push({ file: path, problem: 'missing' });
    else if (bytes !== undefined && listing[stored]?.size !== bytes) {
      problems.push({ file: stored, problem: 'wrong size' });
    }
  }
  return problems;
}

function* sectionLines(manifest: string, section: string): Generator<[name: string, value: string]> {
  let inside = false;
  for (const line of manifest.split('\n')) {
    if (line.startsWith('[') && line.endsWith(']')) inside = line === `[${section}]`;
    else if (inside) {
      // Names may contain '='; the value is the JSON object at the end.
      const at = line.lastIndexOf('={"');
      if (at > 0) yield [line.slice(0, at), line.slice(at + 1)];
    }
  }
}
