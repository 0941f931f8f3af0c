import type { Command } from 'commander';
import { loadConfig } from '../../config';
import { InvalidInputError } from '../../core/errors';
import {
  type Administrator,
  APPLICATION,
  PLATFORM,
  prepareApplicationDatabase,
  preparePlatformDatabase,
} from '../../core/local-stack';

interface PrepareOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** Where the administrators' connections come from: a password on a command line is everybody's to read. */
const VARIABLES = {
  application: 'CHRONAWFLOW_APPLICATION_ADMIN_URL',
  platform: 'CHRONAWFLOW_PLATFORM_ADMIN_URL',
} as const;

/** `chronawflow prepare`: roles, rights and tables in databases that are not of the local stack. */
export function registerPrepare(program: Command): void {
  program
    .command('prepare')
    .description("make Chronawflow's roles, rights and tables in both databases; repeat it after an upgrade")
    .option('--config <file>', 'chronawflow.yaml (default: CHRONAWFLOW_CONFIG, or the working directory)')
    .option('--json', 'print the result as one JSON object')
    .addHelpText(
      'after',
      `
Superusers' connections are read from the environment and used for nothing else; without one its database is left alone:
  ${VARIABLES.application}   postgresql://postgres:…@host:5432
  ${VARIABLES.platform}      postgresql://postgres:…@host:5432

Example:
  $ ${VARIABLES.application}=postgresql://postgres@db1 chronawflow prepare`,
    )
    .action(async (_: PrepareOptions, command: Command) => {
      const options = command.optsWithGlobals<PrepareOptions>();
      const prepared = await prepare(options.config, process.env);
      process.stdout.write(
        options.json ? `${JSON.stringify({ prepared })}\n` : `Prepared: ${prepared.join(' and ')}.\n`,
      );
    });
}

export async function prepare(
  configFile: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const config = loadConfig({ configFile, env });
  const prepared: string[] = [];
  const platformUrl = env[VARIABLES.platform];
  if (platformUrl) {
    const { database, user, password } = config.platform.database;
    const control = config.control.database;
    if (control !== undefined && control.user !== PLATFORM.controlRole)
      throw new InvalidInputError(
        `control.database.user is '${control.user}', and the rights are for '${PLATFORM.controlRole}'`,
        { hint: `Set control.database.user: ${PLATFORM.controlRole}.` },
      );
    const retention = config.audit.retention?.database;
    if (retention !== undefined && retention.user !== PLATFORM.retentionRole)
      throw new InvalidInputError(
        `audit.retention.database.user is '${retention.user}', and the rights are for '${PLATFORM.retentionRole}'`,
        { hint: `Set audit.retention.database.user: ${PLATFORM.retentionRole}.` },
      );
    await preparePlatformDatabase(administrator(VARIABLES.platform, platformUrl), {
      database,
      role: user,
      password,
      ...(config.audit.database && {
        sealer: { role: config.audit.database.user, password: config.audit.database.password },
      }),
      ...(retention && { retention: { password: retention.password } }),
      ...(control && { control: { password: control.password } }),
    });
    prepared.push('control-plane database');
  }
  const applicationUrl = env[VARIABLES.application];
  if (applicationUrl) {
    const { database, user, password } = config.application.database;
    if (user !== APPLICATION.role)
      throw new InvalidInputError(
        `application.database.user is '${user}', and the rights are for '${APPLICATION.role}'`,
        {
          hint: `Set application.database.user: ${APPLICATION.role}.`,
        },
      );
    await prepareApplicationDatabase(administrator(VARIABLES.application, applicationUrl), {
      database,
      schemas: config.tenancy.schemas,
      password,
    });
    prepared.push('application database');
  }
  if (prepared.length === 0)
    throw new InvalidInputError('there is nothing to prepare', {
      hint: `Set ${VARIABLES.application}, ${VARIABLES.platform}, or both.`,
    });
  return prepared;
}

/** `sslmode` and the files as libpq names them; whichever of the two modes is given, the server is verified. */
function tlsOf(parameters: URLSearchParams): Administrator['ssl'] {
  if (!['require', 'verify-full'].includes(parameters.get('sslmode') ?? '')) return false;
  const given = (name: string) => parameters.get(name) ?? undefined;
  const [caFile, certFile, keyFile] = [given('sslrootcert'), given('sslcert'), given('sslkey')];
  return caFile === undefined && certFile === undefined ? true : { caFile, certFile, keyFile };
}

/** A database in the URL is ignored: which one it is, the configuration says. The URL is never repeated. */
export function administrator(variable: string, text: string): Administrator {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // Its message would repeat the URL, and with it the password.
    throw new InvalidInputError(`${variable} is not a URL`, {
      hint: 'Its form is postgresql://user:password@host:port, or postgresql:///?host=/socket/directory&user=postgres.',
    });
  }
  return {
    host: url.searchParams.get('host') ?? (url.hostname || 'localhost'),
    port: Number(url.searchParams.get('port') ?? (url.port || 5432)),
    user: decodeURIComponent(url.searchParams.get('user') ?? (url.username || 'postgres')),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ssl: tlsOf(url.searchParams),
  };
}
