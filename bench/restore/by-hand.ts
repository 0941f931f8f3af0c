import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeServerDirectory, runProgram, serverStatus } from '../../core/cluster';
import { MeasurementInvalidError } from '../support/measurement-invalid-error';
import { copyOutScript, putBackScript } from './by-hand-sql.pure';
import { SCRATCH_SETTINGS } from './settings';
import { type SideResult, StepTimer } from './step-timer';

/** Where the script finds things. */
export interface ByHandPlace {
  /** Of the server user; the scratch cluster and the files go into it. */
  readonly directory: string;
  /** Directory of psql, pg_ctl and postgres. */
  readonly bin: string;
  readonly pgBackRest: string;
  readonly pgBackRestConfig: string;
  readonly stanza: string;
  readonly live: { readonly socketDirectory: string; readonly port: number; readonly database: string };
}

/** How often a state is looked at: as a script with `sleep 0.1` does. */
const LOOK_EVERY_MS = 100;
const RECOVERY_LIMIT_MS = 30 * 60_000;

/**
 * The restore of one tenant as a good administrator scripts it with pgBackRest and psql: no preview, no freeze, no proof,
 * no way back; the rows at the target in the place of those that are there.
 */
export class ByHand {
  private readonly data: string;

  constructor(
    private readonly place: ByHandPlace,
    private readonly signal: AbortSignal,
  ) {
    this.data = join(place.directory, 'data');
  }

  /** @param target ISO 8601 in UTC */
  async restore(tenant: string, target: string): Promise<SideResult> {
    const timer = new StepTimer();
    await makeServerDirectory(this.place.directory);
    await timer.step('wait for the archive', () => this.waitUntilArchived());
    await timer.step('restore the files', () => this.restoreFiles(target));
    await timer.step('recover to the target', () => this.recover());
    await timer.step('copy out', () => this.run('scratch', 'copy-out.sql', copyOutScript(tenant)));
    await timer.step('delete and copy in', () => this.run('live', 'put-back.sql', putBackScript(tenant)));
    await timer.step('remove scratch', () => this.remove());
    return timer.result();
  }

  /** Stops the scratch server and removes everything; safe to call at any time. */
  async remove(): Promise<void> {
    if ((await serverStatus(this.data)).kind === 'running') {
      await this.program('pg_ctl', ['stop', '-D', this.data, '-m', 'immediate', '-w'], {});
    }
    await rm(this.place.directory, { recursive: true, force: true, maxRetries: 3 });
  }

  private async waitUntilArchived(): Promise<void> {
    const segment = await this.ask('live', 'select pg_walfile_name(pg_switch_wal())');
    await this.until(`segment ${segment} is archived`, async () => {
      const archived = await this.ask('live', 'select last_archived_wal from pg_stat_archiver');
      return archived >= segment;
    });
  }

  private async restoreFiles(target: string): Promise<void> {
    await makeServerDirectory(this.data);
    const { pgBackRest, pgBackRestConfig, stanza } = this.place;
    await runProgram(
      pgBackRest,
      [
        `--config=${pgBackRestConfig}`,
        `--stanza=${stanza}`,
        `--pg1-path=${this.data}`,
        '--type=time',
        `--target=${target.replace('T', ' ').replace('Z', '+00')}`,
        '--target-action=pause',
        '--archive-mode=off',
        'restore',
      ],
      { asServerUser: true, signal: this.signal },
    );
  }

  private async recover(): Promise<void> {
    const settings = {
      ...SCRATCH_SETTINGS,
      listen_addresses: '',
      unix_socket_directories: this.place.directory,
      hot_standby: 'on',
      // Replay refuses to go on where the primary kept commit times and this server does not.
      track_commit_timestamp: 'on',
      wal_level: 'replica',
    };
    const options = Object.entries(settings).map(([name, value]) => `-c ${name}='${value}'`);
    await this.program(
      'pg_ctl',
      [
        'start',
        '-D',
        this.data,
        '-w',
        '-t',
        '600',
        '-l',
        join(this.place.directory, 'log'),
        '-o',
        options.join(' '),
      ],
      { signal: this.signal },
    );
    await this.until('recovery is paused at the target', async () => {
      return (await this.ask('scratch', 'select pg_get_wal_replay_pause_state()')) === 'paused';
    });
  }

  private async ask(server: 'live' | 'scratch', query: string): Promise<string> {
    const { stdout } = await this.psql(server, ['-Atc', query]);
    return stdout.trim();
  }

  private async run(server: 'live' | 'scratch', name: string, script: string): Promise<void> {
    const file = join(this.place.directory, name);
    await writeFile(file, script, { mode: 0o644 });
    await this.psql(server, ['-qf', file]);
  }

  private psql(server: 'live' | 'scratch', args: readonly string[]) {
    const { live, directory } = this.place;
    const host = server === 'live' ? live.socketDirectory : directory;
    const port = server === 'live' ? live.port : 5432;
    return this.program(
      'psql',
      ['-X', '-h', host, '-p', String(port), '-U', 'postgres', '-d', live.database, ...args],
      { signal: this.signal },
    );
  }

  private program(name: string, args: readonly string[], options: { readonly signal?: AbortSignal }) {
    return runProgram(join(this.place.bin, name), args, {
      ...options,
      asServerUser: true,
      cwd: this.place.directory,
    });
  }

  private async until(what: string, reached: () => Promise<boolean>): Promise<void> {
    const limit = performance.now() + RECOVERY_LIMIT_MS;
    while (!(await reached())) {
      if (performance.now() > limit) {
        throw new MeasurementInvalidError(`the hand-written script waited in vain until ${what}`);
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.signal });
    }
  }
}
