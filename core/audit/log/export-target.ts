import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InvalidInputError, whenMissing } from '../../errors';

/** Where an export goes. */
export interface ExportTarget {
  /** Before the first file. @throws InvalidInputError when nothing may be put there */
  open(): Promise<void>;
  /** @param path below the target */
  put(path: string, content: Buffer | string): Promise<void>;
  /**
   * The same of a file that each export has another one of, such as a checkpoint.
   *
   * @param size of the platform log, which is the export's
   */
  putOf(size: number, path: string, content: Buffer | string): Promise<void>;
}

/** An empty directory, for one export. */
export class EmptyDirectory implements ExportTarget {
  constructor(private readonly directory: string) {}

  async open(): Promise<void> {
    if ((await readdir(this.directory).catch(whenMissing([]))).length === 0) return;
    throw new InvalidInputError(`${this.directory} is not empty.`, {
      hint: 'Name a directory that is, or a new one; one that exports are added to needs --write-once.',
    });
  }

  async put(path: string, content: Buffer | string): Promise<void> {
    const target = join(this.directory, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
  }

  putOf(_: number, path: string, content: Buffer | string): Promise<void> {
    return this.put(path, content);
  }
}

/**
 * How a file is called of which there is one for each export: by the platform log's size and by its content, as a checkpoint can get
 * cosignatures later.
 */
export function nameOfExport(size: number, content: Buffer | string): string {
  return `${size}-${createHash('sha256').update(content).digest('hex').slice(0, 16)}`;
}

/** @returns the size in such a name; undefined when it is none */
export function sizeInName(name: string): number | undefined {
  const digits = /^(\d{1,15})-[0-9a-f]{16}$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
