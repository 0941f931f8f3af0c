import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hasCode, messageOf, whenMissing } from '../../errors';
import { flushDirectory, makeDirectory, readJson, writeDurably, writeWhole } from './durable-file';
import { hostTime } from './host-clock';
import { type EndedLease, type EndReason, type FaultLease, faultLease } from './lease';
import { type ProcessRef, processRef } from './process-ref';

const renewal = z.strictObject({ uptimeMs: z.number() });
const failure = z.strictObject({ attempts: z.number(), message: z.string() });
const ended = z.strictObject({
  endedMs: z.number(),
  by: z.string(),
  reason: z.enum(['deadline', 'not-renewed', 'other-boot', 'rolled-back', 'aborted', 'not-injected']),
});

export type LeaseFailure = z.output<typeof failure>;

/** A lease whose file cannot be read: nobody knows what it is, so it is never silently left. */
export interface UnreadableLease {
  readonly id: string;
  readonly reason: string;
}

const KEEP_ENDED_MS = 7 * 86_400_000;

/**
 * The faults of this host, in files: the databases are among the things that get killed. `leases/<id>/` is there exactly as long
 * as the fault may be; it appears and goes by a rename, so nobody ever sees half of it.
 *
 *     leases/<id>/lease.json    before the injection, flushed
 *                 driver.json   who injects, flushed before it begins
 *                 ending        from here on nobody injects
 *                 injected      the injection is complete
 *                 renewed.json, guard-a, guard-b, failure.json
 *     ended/<id>/               the same, with ended.json
 */
export class LeaseJournal {
  constructor(readonly directory: string) {}

  /** Writes the lease down. From now on the guards will end it, whatever becomes of the caller. @throws ZodError */
  async open(lease: FaultLease): Promise<void> {
    faultLease.parse(lease);
    await makeDirectory(this.leases);
    await makeDirectory(join(this.directory, 'ended'));
    const half = join(this.directory, `.${lease.id}.tmp`);
    await rm(half, { recursive: true, force: true });
    await makeDirectory(half);
    await writeDurably(join(half, 'lease.json'), lease);
    await rename(half, join(this.leases, lease.id));
    await flushDirectory(this.leases);
  }

  /** IDs of all faults that may be there. */
  async ids(): Promise<string[]> {
    const names = await readdir(this.leases).catch(whenMissing<string[]>([]));
    return names.sort();
  }

  /** undefined when it has ended. */
  async find(id: string): Promise<FaultLease | undefined> {
    return readJson(this.file(id, 'lease.json'), faultLease);
  }

  /** Whether it is there, readable or not. */
  async isOpen(id: string): Promise<boolean> {
    return stat(join(this.leases, id)).then(() => true, whenMissing(false));
  }

  async all(): Promise<{ readonly leases: FaultLease[]; readonly unreadable: UnreadableLease[] }> {
    const leases: FaultLease[] = [];
    const unreadable: UnreadableLease[] = [];
    for (const id of await this.ids()) {
      try {
        const lease = await this.find(id);
        if (lease !== undefined) leases.push(lease);
      } catch (error) {
        unreadable.push({ id, reason: messageOf(error) });
      }
    }
    return { leases, unreadable };
  }

  /** Not flushed: after a reboot every lease is over anyway. */
  async renew(id: string): Promise<boolean> {
    return this.put(id, 'renewed.json', { uptimeMs: hostTime().uptimeMs }, writeWhole);
  }

  async renewedMs(id: string): Promise<number | undefined> {
    return (await readJson(this.file(id, 'renewed.json'), renewal).catch(() => undefined))?.uptimeMs;
  }

  /** Flushed: who ends the fault has to find who may still be injecting it. */
  async registerDriver(id: string, driver: ProcessRef): Promise<boolean> {
    return this.put(id, 'driver.json', driver);
  }

  async driver(id: string): Promise<ProcessRef | undefined> {
    return readJson(this.file(id, 'driver.json'), processRef);
  }

  /** @returns false when the lease has ended meanwhile. */
  async mark(id: string, name: 'ending' | 'injected' | 'guard-a' | 'guard-b'): Promise<boolean> {
    return this.put(id, name, {}, name === 'ending' ? writeDurably : writeWhole);
  }

  async isMarked(id: string, name: 'ending' | 'injected' | 'guard-a' | 'guard-b'): Promise<boolean> {
    return stat(this.file(id, name)).then(() => true, whenMissing(false));
  }

  async noteFailure(id: string, message: string): Promise<void> {
    const before = await this.failure(id);
    await this.put(id, 'failure.json', { attempts: (before?.attempts ?? 0) + 1, message }).catch(unlessFull);
  }

  async failure(id: string): Promise<LeaseFailure | undefined> {
    return readJson(this.file(id, 'failure.json'), failure).catch(() => undefined);
  }

  /** The fault is gone, and a probe has proved it. Several may say so; the first one counts. */
  async close(id: string, by: string, reason: EndReason): Promise<void> {
    // A full disk must not keep a fault's entry: moving it away needs no room.
    const end = { endedMs: hostTime().uptimeMs, by, reason };
    if (!(await this.put(id, 'ended.json', end).catch(unlessFull))) return;
    try {
      await rename(join(this.leases, id), join(this.directory, 'ended', id));
      await flushDirectory(this.leases);
    } catch (error) {
      if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) await this.forgetAgain(id);
      else if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  /** How it ended; undefined while it is open or when it is no longer known. */
  async ended(id: string): Promise<EndedLease | undefined> {
    const directory = join(this.directory, 'ended', id);
    const lease = await readJson(join(directory, 'lease.json'), faultLease);
    const end = await readJson(join(directory, 'ended.json'), ended);
    return lease === undefined || end === undefined ? undefined : { lease, ...end };
  }

  /** What the last failure of an ended lease was. */
  async whyEnded(id: string): Promise<string | undefined> {
    const file = join(this.directory, 'ended', id, 'failure.json');
    return (await readJson(file, failure).catch(() => undefined))?.message;
  }

  /** Forgets what ended more than a week ago. */
  async prune(now = Date.now()): Promise<void> {
    const directory = join(this.directory, 'ended');
    for (const id of await readdir(directory).catch(whenMissing<string[]>([]))) {
      const place = join(directory, id);
      const { mtimeMs } = await stat(place).catch(whenMissing({ mtimeMs: now }));
      if (now - mtimeMs > KEEP_ENDED_MS) await rm(place, { recursive: true, force: true });
    }
  }

  /** Ended before, and taken up once more by who had looked before that end. */
  private async forgetAgain(id: string): Promise<void> {
    const aside = join(this.directory, `.${id}.again.tmp`);
    await rm(aside, { recursive: true, force: true });
    await rename(join(this.leases, id), aside).catch(whenMissing(undefined));
    await rm(aside, { recursive: true, force: true });
  }

  private get leases(): string {
    return join(this.directory, 'leases');
  }

  private file(id: string, name: string): string {
    return join(this.leases, id, name);
  }

  /** @returns false when the lease has ended meanwhile. */
  private async put(id: string, name: string, value: unknown, write = writeDurably): Promise<boolean> {
    try {
      await write(this.file(id, name), value);
      return true;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false;
      throw error;
    }
  }
}

/** For what helps people only: a full disk does not stop the end of a fault. */
function unlessFull(error: unknown): boolean {
  if (!hasCode(error, 'ENOSPC', 'EDQUOT')) throw error;
  return true;
}
