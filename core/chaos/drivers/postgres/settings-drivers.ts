import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { z } from 'zod';
import { quoteIdentifier, quoteLiteral } from '../../../../database';
import { defineDriver } from '../define-driver';
import type { AnyDriver, EndCall } from '../driver';
import { endSessions, inSession, sessionName } from './session';

type Nothing = Record<never, never>;
type Session = Pick<ClientBase, 'query'>;

/** Each setting as postgresql.auto.conf had it; null where it had none. */
const savedSettings = z.strictObject({ before: z.record(z.string(), z.string().nullable()) });
type SavedSettings = z.output<typeof savedSettings>;

interface SettingsKind {
  readonly name: string;
  readonly summary: string;
  readonly settings: Readonly<Record<string, string>>;
}

const APPLY_LIMIT_MS = 3_000;

/** A fault that is settings of the server, set by ALTER SYSTEM and a reload. They outlive a restart: the reaper sets them back. */
function settingsDriver({ name, summary, settings }: SettingsKind): AnyDriver {
  const names = Object.keys(settings);
  const differ = async (session: Session, saved: SavedSettings | undefined): Promise<boolean> => {
    const file = await autoConf(session, names);
    for (const setting of names) {
      const before = saved?.before[setting] ?? null;
      if (
        saved === undefined ? file.get(setting) === settings[setting] : (file.get(setting) ?? null) !== before
      )
        return true;
      // Set back in the file, but not read by the server yet.
      if (before !== settings[setting] && (await current(session, setting)) === settings[setting])
        return true;
    }
    return false;
  };
  const remove = async ({ leaseId, target, saved, signal }: EndCall<'postgres', Nothing, SavedSettings>) => {
    // A statement of the driver may still run though its process is dead; it must not come after the inverse.
    await endSessions(target.database, leaseId, signal);
    await inSession(target.database, { applicationName: 'chronawflow reaper', signal }, async (session) => {
      for (const setting of names) await alterSystem(session, setting, saved?.before[setting] ?? null);
      await session.query('select pg_reload_conf()');
    });
  };
  return defineDriver<'postgres', Nothing, SavedSettings>({
    name,
    targetKind: 'postgres',
    summary,
    parameters: z.strictObject({}),
    saved: savedSettings,
    afterPowerLoss: 'stays',
    boundedBy: 'the reaper',
    prepare: ({ target, signal }) =>
      inSession(target.database, { applicationName: 'chronawflow chaos', signal }, async (session) => {
        for (const setting of names)
          if ((await current(session, setting)) === settings[setting])
            throw new Error(`${setting} is ${settings[setting]} already.`);
        const file = await autoConf(session, names);
        return { before: Object.fromEntries(names.map((setting) => [setting, file.get(setting) ?? null])) };
      }),
    inject: async ({ leaseId, target, signal }) => {
      const session = { applicationName: sessionName(leaseId), signal };
      await inSession(target.database, session, async (db) => {
        for (const [setting, value] of Object.entries(settings)) await alterSystem(db, setting, value);
        await db.query('select pg_reload_conf()');
      });
      const limit = performance.now() + APPLY_LIMIT_MS;
      for (const [setting, value] of Object.entries(settings)) {
        while ((await inSession(target.database, session, (db) => current(db, setting))) !== value) {
          if (performance.now() > limit)
            throw new Error(`the server did not take ${setting}: it may be set on its command line`);
          await sleep(50);
        }
      }
    },
    remove,
    isThere: ({ target, saved, signal }) =>
      inSession(target.database, { applicationName: 'chronawflow reaper', signal }, (session) =>
        differ(session, saved),
      ),
  });
}

async function alterSystem(session: Session, setting: string, value: string | null): Promise<void> {
  const name = quoteIdentifier(setting);
  await session.query(
    value === null ? `alter system reset ${name}` : `alter system set ${name} = ${quoteLiteral(value)}`,
  );
}

async function current(session: Session, setting: string): Promise<string | undefined> {
  const { rows } = await session.query<{ value: string }>('select current_setting($1) as value', [setting]);
  return rows[0]?.value;
}

/** What ALTER SYSTEM has set, as the file says it now. */
async function autoConf(session: Session, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { rows } = await session.query<{ name: string; setting: string }>(
    `select name, setting from pg_file_settings
      where sourcefile like '%/postgresql.auto.conf' and name = any ($1) order by seqno`,
    [names],
  );
  return new Map(rows.map(({ name, setting }) => [name, setting]));
}

export const settingsDrivers: readonly AnyDriver[] = [
  settingsDriver({
    name: 'postgres.read-only',
    summary: 'every new transaction is read-only, as after a full disk or on a standby',
    settings: { default_transaction_read_only: 'on' },
  }),
  settingsDriver({
    name: 'postgres.slow-statements',
    summary: 'the planner has no index scans, so statements read whole tables',
    settings: { enable_indexscan: 'off', enable_indexonlyscan: 'off', enable_bitmapscan: 'off' },
  }),
  settingsDriver({
    name: 'postgres.archiving-broken',
    summary: 'archive_command fails, so WAL piles up and the recoverable window stands still',
    settings: { archive_command: '/bin/false' },
  }),
];

/** A standby stops replaying; it goes on at the latest when it is restarted. */
export const replicationPaused: AnyDriver = defineDriver<'postgres', Nothing, Nothing>({
  name: 'postgres.replication-paused',
  targetKind: 'postgres',
  summary: 'a standby stops replaying and falls behind',
  parameters: z.strictObject({}),
  saved: z.strictObject({}),
  afterPowerLoss: 'gone',
  boundedBy: 'the reaper',
  prepare: ({ target, signal }) =>
    inSession(target.database, { applicationName: 'chronawflow chaos', signal }, async (session) => {
      const { rows } = await session.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
      if (rows[0]?.standby !== true) throw new Error('the target is no standby');
      return {};
    }),
  inject: ({ target, leaseId, signal }) =>
    inSession(target.database, { applicationName: sessionName(leaseId), signal }, async (session) => {
      await session.query('select pg_wal_replay_pause()');
    }),
  remove: async ({ target, leaseId, signal }) => {
    await endSessions(target.database, leaseId, signal);
    await inSession(target.database, { applicationName: 'chronawflow reaper', signal }, (session) =>
      session.query(`select case when pg_is_in_recovery() then pg_wal_replay_resume() end`),
    );
  },
  isThere: ({ target, signal }) =>
    inSession(target.database, { applicationName: 'chronawflow reaper', signal }, async (session) => {
      const { rows } = await session.query<{ paused: boolean }>(
        `select pg_is_in_recovery() and pg_get_wal_replay_pause_state() <> 'not paused' as paused`,
      );
      return rows[0]?.paused === true;
    }),
});
