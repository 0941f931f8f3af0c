import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { type configSchema, parseConfig } from '../../config';
import { APPLICATION } from './application-database';
import type { ChaosAddition } from './chaos';
import { DEGRADATION_SECTION } from './degradation-section';
import type { StackLayout } from './layout.pure';
import { PLATFORM } from './platform-database';
import { secretFile } from './secrets';
import type { StackPorts } from './state';
import type { TenancyInput } from './tenancy';

export interface ConfigFileOptions {
  readonly layout: StackLayout;
  readonly ports: StackPorts;
  readonly tenancy: TenancyInput;
  readonly stanza: string;
  readonly pgBackRest: string;
  readonly postgresBin: string;
  readonly addition?: Pick<ChaosAddition, 'config'> | undefined;
}

const HEADER = `# The local stack of \`chronawflow up\`, which writes this file anew at each start.
# Copy it before you change it. Passwords are in the files named here.
`;

/**
 * Writes chronawflow.yaml for the stack, after making sure that it can be read back.
 *
 * @returns whether it differs from what was there, so that a worker which runs with the old one is started anew.
 */
export async function writeConfigFile(options: ConfigFileOptions): Promise<'changed' | 'same'> {
  const { layout, addition } = options;
  const base = stackConfig(options);
  if (addition === undefined) return writeIfChanged(layout.configFile, base);
  const { own, disturbed } = addition.config(base);
  await mkdir(layout.chaos.directory, { recursive: true, mode: 0o700 });
  const written = [
    await writeIfChanged(layout.configFile, own),
    await writeIfChanged(layout.chaos.configFile, disturbed),
  ];
  return written.includes('changed') ? 'changed' : 'same';
}

async function writeIfChanged(
  file: string,
  config: z.input<typeof configSchema>,
): Promise<'changed' | 'same'> {
  const text = HEADER + stringify(config);
  parseConfig(text, { file, env: {} });
  const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (before === text) return 'same';
  await writeFile(`${file}.new`, text, { mode: 0o644 });
  await rename(`${file}.new`, file);
  return 'changed';
}

export function stackConfig(options: ConfigFileOptions): z.input<typeof configSchema> {
  const { layout, ports } = options;
  return {
    temporal: {
      address: `127.0.0.1:${ports.temporal}`,
      webUrl: `http://127.0.0.1:${ports.web}`,
    },
    platform: {
      database: {
        host: '127.0.0.1',
        port: ports.platform,
        database: PLATFORM.database,
        user: PLATFORM.role,
        passwordFile: secretFile(layout.secrets, 'platform-password'),
      },
    },
    application: {
      database: {
        host: '127.0.0.1',
        port: ports.application,
        database: APPLICATION.database,
        user: APPLICATION.role,
        passwordFile: secretFile(layout.secrets, 'application-password'),
      },
      backup: {
        provider: 'pgbackrest',
        stanza: options.stanza,
        configFile: layout.backup.configFile,
        binary: options.pgBackRest,
        postgresBin: options.postgresBin,
        scratchDirectory: layout.scratch,
      },
    },
    tenancy: options.tenancy,
    control: {
      database: {
        host: '127.0.0.1',
        port: ports.platform,
        database: PLATFORM.database,
        user: PLATFORM.controlRole,
        passwordFile: secretFile(layout.secrets, 'control-password'),
      },
    },
    objectives: {
      tiers: { standard: { rpo: '5m', rto: '15m' } },
      defaultTier: 'standard',
    },
    degradation: DEGRADATION_SECTION,
  };
}
