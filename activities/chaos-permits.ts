import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../core/errors';

/** Longer than any run. */
const KEPT_MS = 7 * 86_400_000;

/**
 * Runs of this host that were verified when they disturbed something. What takes a run's disturbance back asks here: neither a
 * revocation meanwhile nor a control plane that is away may stand in its way.
 */
export class ChaosPermits {
  private readonly directory: string;

  /** @param journal the host's own directory of faults, which only its processes write */
  constructor(journal: string) {
    this.directory = join(journal, 'permits');
  }

  async give(execution: string, experimentSha256: string): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    await writeFile(this.file(execution, experimentSha256), '', { mode: 0o600 });
    await this.forgetOld();
  }

  async has(execution: string, experimentSha256: string): Promise<boolean> {
    try {
      await stat(this.file(execution, experimentSha256));
      return true;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false;
      throw error;
    }
  }

  private file(execution: string, experimentSha256: string): string {
    const name = createHash('sha256')
      .update(JSON.stringify([execution, experimentSha256]))
      .digest('hex');
    return join(this.directory, name);
  }

  private async forgetOld(): Promise<void> {
    for (const name of await readdir(this.directory)) {
      const file = join(this.directory, name);
      const found = await stat(file).catch(() => undefined);
      if (found !== undefined && Date.now() - found.mtimeMs > KEPT_MS) await rm(file, { force: true });
    }
  }
}
