import { join } from 'node:path';
import { type PostgresBin, runProgram } from '../../cluster';
import { DependencyMissingError } from '../../errors';
import { backupProvider } from '../backup/backup-provider';
import { serverProgram } from '../backup/server-program';
import type { RecoveryContext } from '../engine';
import { ScratchInvalidError } from '../errors/scratch-invalid-error';
import type { ResolvedTarget } from '../types';
import { type ControlData, highest, parseControlData } from './control-data.pure';
import type { PrimaryFacts } from './read-primary';
import { segmentCount } from './restore-files';
import type { ScratchPaths } from './scratch-paths.pure';
import { writeServerFile } from './server-file';
import { renderSettings, serverSettings } from './server-settings.pure';

export interface ServerRequest {
  readonly restoreId: string;
  readonly target: ResolvedTarget;
  readonly paths: ScratchPaths;
  readonly bin: PostgresBin;
  readonly primary: PrimaryFacts;
  readonly durable: boolean;
  /** WAL is fetched segment by segment, also where fetching ahead would be faster. */
  readonly oneByOne?: boolean;
}

/** Everybody who reaches the socket may in: its directory has mode 0700 and belongs to the server user. */
const HBA = '# Written by Chronawflow: the socket directory is the lock.\nlocal all all trust\n';

/**
 * Writes the server's whole configuration. Debian keeps the original's outside the data directory, elsewhere it is
 * restored with it and would load libraries, listen and archive: neither is of use here.
 */
export async function configureServer(ctx: RecoveryContext, request: ServerRequest): Promise<ControlData> {
  const { paths, target, restoreId } = request;
  const control = await readControlData(request);
  const provider = backupProvider(ctx.config.application.backup);
  const settings = serverSettings({
    target,
    restoreCommand: await provider.restoreCommand(
      paths,
      request.oneByOne ? 1 : segmentCount(target, control.segmentBytes),
    ),
    limits: highest(control.limits, request.primary.limits),
    trackCommitTimestamp: control.trackCommitTimestamp,
    extra: ctx.config.application.backup.scratchSettings,
    durable: request.durable,
    name: `chronawflow ${restoreId}`,
  });
  const file = (name: string): string => join(paths.dataDirectory, name);
  await writeServerFile(file('postgresql.conf'), renderSettings(settings));
  await writeServerFile(file('postgresql.auto.conf'), '');
  await writeServerFile(file('pg_hba.conf'), HBA);
  await writeServerFile(file('pg_ident.conf'), '');
  return control;
}

async function readControlData({ bin, paths, restoreId }: ServerRequest): Promise<ControlData> {
  const program = await serverProgram(bin, 'pg_controldata');
  if (program === undefined) {
    throw new DependencyMissingError(
      `pg_controldata is not beside the PostgreSQL server in ${bin.directory}`,
      {
        hint: 'Name the directory with all server programs in application.backup.postgresBin.',
      },
    );
  }
  const { stdout } = await runProgram(program, [paths.dataDirectory], {
    asServerUser: true,
    env: { LC_ALL: 'C' },
  });
  const control = parseControlData(stdout);
  if (control === undefined) throw new ScratchInvalidError(restoreId, ['its control file is not understood']);
  return control;
}
