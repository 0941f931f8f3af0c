import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { hasCode, messageOf, whenMissing } from '../../errors';
import { ExportConflictError } from './export-conflict-error';
import { type ExportTarget, nameOfExport } from './export-target';

/** Paths in one call of chattr. */
const AT_ONCE = 500;

/**
 * A directory that exports are added to. A file is never written over: it appears whole, under its name, read-only, and one that is
 * there already has to have the same bytes. Tiles that are complete are the same in each export, so that an export adds what is new,
 * and one that was cut short is gone on with.
 */
export class WriteOnceDirectory implements ExportTarget {
  private readonly added: string[] = [];
  private readonly incoming: string;

  constructor(private readonly directory: string) {
    // On the same file system, so that a file can be given its name at one go.
    this.incoming = join(directory, '.incoming', randomUUID());
  }

  async open(): Promise<void> {
    await mkdir(this.incoming, { recursive: true });
  }

  /** @throws ExportConflictError when there is such a file with other bytes */
  async put(path: string, content: Buffer | string): Promise<void> {
    const target = join(this.directory, path);
    const bytes = Buffer.from(content);
    if (await isThere(target, bytes)) return;
    await mkdir(dirname(target), { recursive: true });
    const incoming = join(this.incoming, String(this.added.length));
    try {
      const file = await open(incoming, 'wx', 0o444);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      // Unlike a rename, it fails when somebody else was first.
      await link(incoming, target);
      this.added.push(target);
    } catch (error) {
      if (!hasCode(error, 'EEXIST') || !(await isThere(target, bytes))) throw error;
    } finally {
      await rm(incoming, { force: true });
    }
  }

  putOf(size: number, path: string, content: Buffer | string): Promise<void> {
    return this.put(join(path, nameOfExport(size, content)), content);
  }

  /** How many files this export has added. */
  get files(): number {
    return this.added.length;
  }

  /**
   * What was added cannot even be changed by root then, before it takes the attribute away again.
   *
   * @returns why it could not be done; undefined when it was
   */
  async makeImmutable(): Promise<string | undefined> {
    try {
      for (let from = 0; from < this.added.length; from += AT_ONCE)
        await promisify(execFile)('chattr', ['+i', '--', ...this.added.slice(from, from + AT_ONCE)]);
      return undefined;
    } catch (error) {
      return hasCode(error, 'ENOENT') ? 'there is no chattr here' : messageOf(error);
    }
  }

  async close(): Promise<void> {
    await rm(this.incoming, { recursive: true, force: true });
  }
}

async function isThere(path: string, bytes: Buffer): Promise<boolean> {
  const there = await readFile(path).catch(whenMissing(undefined));
  if (there === undefined) return false;
  if (there.equals(bytes)) return true;
  throw new ExportConflictError(path);
}
