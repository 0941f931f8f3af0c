import { hostname } from 'node:os';
import type { RecoveryContext, StepControl } from '../../core/recovery/engine';
import { connectScratch } from '../../core/recovery/scratch';
import { parseTarget, resolveTarget } from '../../core/recovery/target';
import type { ResolvedTarget, ScratchHandle } from '../../core/recovery/types';
import { type ApplicationOptions, type RealApplication, startApplication } from '../support/real-application';

/** An application with one table of notes, and what a restore works with. */
export interface NotesApplication {
  readonly app: RealApplication;
  readonly ctx: RecoveryContext;
  /** Inserts one row and gives the database's time after its commit. */
  write(id: number): Promise<string>;
  resolve(text: string, timeline?: number): Promise<ResolvedTarget>;
  stop(): Promise<void>;
}

export const quiet: StepControl = {};

export async function startNotes(options: ApplicationOptions = {}): Promise<NotesApplication> {
  const app = await startApplication({
    ...options,
    schema: async (db) => {
      await db.query('create table public.note (id int primary key)');
      await options.schema?.(db);
    },
  });
  const ctx: RecoveryContext = { ...app, log: { info: () => undefined, warn: () => undefined } };
  // pgBackRest knows a backup's end to the second: earlier targets need an older backup.
  await app.superuser.query('select pg_sleep(1.1)');
  return {
    app,
    ctx,
    write: async (id) => {
      await app.superuser.query('insert into public.note (id) values ($1)', [id]);
      return databaseTime(app);
    },
    resolve: (text, timeline) => resolveTarget(ctx, parseTarget(text), { timeline }, quiet),
    stop: () => app.stop(),
  };
}

export async function databaseTime({ superuser }: Pick<RealApplication, 'superuser'>): Promise<string> {
  const { rows } = await superuser.query<{ now: string }>('select clock_timestamp()::text as now');
  return rows[0]?.now ?? '';
}

export async function notesIn(scratch: ScratchHandle): Promise<number[]> {
  const pool = connectScratch(scratch);
  try {
    const { rows } = await pool.query<{ id: number }>('select id from public.note order by id');
    return rows.map((row) => row.id);
  } finally {
    await pool.end();
  }
}

export const elsewhere = (scratch: ScratchHandle): ScratchHandle => ({
  ...scratch,
  host: `not-${hostname()}`,
});
