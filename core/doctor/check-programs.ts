import { findPgBackRest, findPostgresBin, findTemporalCli, runProgram, serverUser } from '../cluster';
import { broken, type Check, ok, warning } from './finding';

/** `engines` in package.json: `require` of an ES module needs it. */
const OLDEST_NODE: readonly [major: number, minor: number] = [20, 19];

export function checkNode(version: string = process.versions.node): Check {
  return {
    name: 'Node.js',
    fallbackFix: 'Install Node.js 20.19 or later.',
    look: async () => [
      isNewEnough(version)
        ? ok('Node.js', version)
        : broken('Node.js', `${version} is too old`, `Install Node.js ${OLDEST_NODE.join('.')} or later.`),
    ],
  };
}

export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
}

export function checkServerUser(): Check {
  return {
    name: 'server user',
    fallbackFix: 'Install PostgreSQL from your distribution, which makes the user postgres.',
    look: async () => [ok('server user', (await serverUser()).name)],
  };
}

/** @param major of the application's server: its backups can be started by that version only. */
export function checkPostgresPrograms(explicit: string | undefined, major: number | undefined): Check {
  return {
    name: 'PostgreSQL programs',
    fallbackFix: 'Install the PostgreSQL server package.',
    look: async () => {
      const bin = await findPostgresBin(explicit, { major });
      return [ok('PostgreSQL programs', `${bin.version} in ${bin.directory}`)];
    },
  };
}

export function checkPgBackRest(explicit: string | undefined): Check {
  return {
    name: 'pgBackRest',
    fallbackFix: 'Install the package pgbackrest.',
    look: async () => {
      const program = await findPgBackRest(explicit);
      const { stdout } = await runProgram(program, ['version'], { asServerUser: true, timeoutMs: 10_000 });
      return [ok('pgBackRest', `${stdout.trim().replace(/^pgBackRest /, '')} (${program})`)];
    },
  };
}

/** Only the local stack needs it: a worker talks to the server itself. */
export function checkTemporalCli(): Check {
  return {
    name: 'Temporal CLI',
    fallbackFix: 'Install it from https://docs.temporal.io/cli.',
    look: async () => {
      const program = await findTemporalCli().catch((error: Error) => error);
      return [
        program instanceof Error
          ? warning(
              'Temporal CLI',
              'not found; only `chronawflow up` needs it',
              'Install it from https://docs.temporal.io/cli, or name it in CHRONAWFLOW_TEMPORAL_CLI.',
            )
          : ok('Temporal CLI', program),
      ];
    },
  };
}
