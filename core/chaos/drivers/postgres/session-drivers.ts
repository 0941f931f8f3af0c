import { z } from 'zod';
import { quoteQualified } from '../../../../database';
import { hasCode } from '../../../errors';
import { TargetNotAllowedError } from '../../errors';
import { defineDriver } from '../define-driver';
import type { AnyDriver, FaultDriver, InjectCall, TargetOf } from '../driver';
import { endSessions, hasSessions, inSession, openHeld } from './session';

type Nothing = Record<never, never>;
type Postgres = TargetOf<'postgres'>;
const nothing = z.strictObject({});

/** A fault that lasts as long as its sessions: they end with the process that holds them, and at the lease's end by the server. */
function heldDriver<P extends object>(
  kind: Pick<FaultDriver<'postgres', P, Nothing>, 'name' | 'summary' | 'parameters'> & {
    check?(parameters: P, target: Postgres): void;
    hold(call: InjectCall<'postgres', P, Nothing>): Promise<void>;
  },
): AnyDriver {
  return defineDriver<'postgres', P, Nothing>({
    name: kind.name,
    targetKind: 'postgres',
    summary: kind.summary,
    parameters: kind.parameters,
    saved: nothing,
    afterPowerLoss: 'gone',
    boundedBy: 'the server',
    prepare: async ({ parameters, target, signal }) => {
      kind.check?.(parameters, target);
      await inSession(target.database, { applicationName: 'chronawflow chaos', signal }, (session) =>
        session.query('select 1'),
      );
      return {};
    },
    inject: (call) => kind.hold(call),
    remove: ({ leaseId, target, signal }) => endSessions(target.database, leaseId, signal),
    isThere: ({ leaseId, target, signal }) => hasSessions(target.database, leaseId, signal),
  });
}

/** SQLSTATE too_many_connections. */
const FULL = '53300';
/** Sessions opened at a time; more would only queue up in the server's start of backends. */
const MOST = 10_000;

const LOCK_MODES = [
  'access share',
  'row share',
  'row exclusive',
  'share update exclusive',
  'share',
  'share row exclusive',
  'exclusive',
  'access exclusive',
] as const;

export const sessionDrivers: readonly AnyDriver[] = [
  heldDriver({
    name: 'postgres.connections',
    summary: 'every connection that the role may open is taken, but `leave`',
    parameters: z.strictObject({
      leave: z.number().int().min(0).max(1_000).default(0),
      most: z.number().int().min(1).max(MOST).default(MOST),
    }),
    hold: async ({ target, leaseId, remainingMs, parameters: { leave, most }, signal }) => {
      const open: Awaited<ReturnType<typeof openHeld>>[] = [];
      try {
        while (open.length < most) {
          signal.throwIfAborted();
          open.push(await openHeld(target.database, leaseId, remainingMs));
        }
      } catch (error) {
        if (!hasCode(error, FULL)) throw error;
      }
      await Promise.all((leave === 0 ? [] : open.slice(-leave)).map((session) => session.end()));
    },
  }),
  heldDriver({
    name: 'postgres.lock',
    summary: 'a table is locked, so that statements on it wait',
    parameters: z.strictObject({
      table: z.string().regex(/^[^.]+\.[^.]+$/, 'write schema.table'),
      mode: z.enum(LOCK_MODES).default('access exclusive'),
    }),
    check: ({ table }, target) => {
      if (!target.tables.includes(table))
        throw new TargetNotAllowedError(`table ${table}`, 'it is not among the `tables` of the target.');
    },
    hold: async ({ target, leaseId, remainingMs, parameters: { table, mode } }) => {
      const [schema = '', name = ''] = table.split('.');
      const session = await openHeld(target.database, leaseId, remainingMs);
      await session.query('begin');
      await session.query('set local lock_timeout = 3000');
      await session.query(`lock table ${quoteQualified({ schema, name })} in ${mode} mode`);
    },
  }),
  heldDriver({
    name: 'postgres.terminate',
    summary: 'sessions of the database are terminated again and again',
    parameters: z.strictObject({
      /** Only sessions of this application name. */
      applicationName: z.string().min(1).optional(),
      everyMs: z.number().int().min(50).max(3_600_000).default(1_000),
    }),
    hold: async ({ target, leaseId, remainingMs, parameters: { applicationName, everyMs } }) => {
      const session = await openHeld(target.database, leaseId, remainingMs);
      const terminate = () =>
        session.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
              and application_name not like 'chronawflow chaos%' and application_name <> 'chronawflow reaper'
              and ($1::text is null or application_name = $1)`,
          [applicationName ?? null],
        );
      await terminate();
      const until = performance.now() + remainingMs;
      const timer = setInterval(() => {
        if (performance.now() > until) clearInterval(timer);
        // The session was ended: so has the fault.
        else terminate().catch(() => clearInterval(timer));
      }, everyMs);
    },
  }),
];
