import {
  detachedStatus,
  findPgBackRest,
  findPostgresBin,
  findTemporalCli,
  type PostgresBin,
  serverStatus,
} from '../cluster';
import { anyChaosRuns, type ChaosAddition, type ChaosPorts, chaosAddition, chooseChaosPorts } from './chaos';
import { choosePorts } from './choose-ports';
import { writeConfigFile } from './config-file';
import { existingMajor } from './existing-major';
import { type StackLayout, stateFileOf } from './layout.pure';
import type { StackPart } from './part';
import { choosePlaces } from './places';
import { ensureSecret } from './secrets';
import { STANZA, stackParts } from './stack-parts';
import { readState, type StackPorts, writeState } from './state';
import type { TenancyInput } from './tenancy';

export interface StackOptions {
  /** The stack's home; `.chronawflow` by default of the CLI. */
  readonly directory: string;
  readonly tenancy: TenancyInput;
  /** Default true. */
  readonly worker?: boolean;
  /** What experiments need besides: Toxiproxy, a standby, a second worker, a sealer, an office to look at, and their targets. */
  readonly chaos?: {
    /** Modules with the office's jobs. */
    readonly jobs: readonly string[];
    /** Added to the office's environment. */
    readonly office?: Readonly<Record<string, string>>;
  };
}

/** A stack with its programs found and its places and ports chosen; nothing of it has to run yet. */
export interface Stack {
  readonly layout: StackLayout;
  readonly ports: StackPorts;
  /** Parts of one step start side by side, the steps one after the other; they stop in reverse order. */
  readonly steps: readonly (readonly StackPart[])[];
  /** Writes chronawflow.yaml for these ports and places. */
  readonly writeConfig: () => Promise<'changed' | 'same'>;
}

/**
 * Finds the programs, decides where everything goes, and remembers it.
 *
 * @throws DependencyMissingError, ServerDirectoryUnreachableError
 */
export async function openStack(options: StackOptions): Promise<Stack> {
  const before = await readState(stateFileOf(options.directory));
  const layout = await choosePlaces(options.directory, before);
  const programs = {
    temporal: await findTemporalCli(),
    pgBackRest: await findPgBackRest(),
    postgres: await findPostgresBin(undefined, {
      major: await existingMajor(layout.application.dataDirectory),
    }),
  };
  const ports = await choosePorts(before?.ports, await runningParts(layout));
  const chaosPorts =
    options.chaos === undefined
      ? before?.chaos
      : await chooseChaosPorts(before?.chaos, await anyChaosRuns(layout));
  await writeState(layout.stateFile, {
    ...{ servers: layout.servers, sockets: layout.sockets, ports },
    ...(chaosPorts === undefined ? {} : { chaos: chaosPorts }),
  });
  const secrets = {
    applicationOwner: await ensureSecret(layout.secrets, 'application-owner-password'),
    application: await ensureSecret(layout.secrets, 'application-password'),
    platform: await ensureSecret(layout.secrets, 'platform-password'),
    control: await ensureSecret(layout.secrets, 'control-password'),
    repository: await ensureSecret(layout.secrets, 'repository-pass'),
    sealer: options.chaos && (await ensureSecret(layout.secrets, 'sealer-password')),
  };
  const addition = await additionOf(options.chaos, {
    layout,
    ports,
    chaosPorts,
    postgres: programs.postgres,
  });
  const parts = stackParts({ layout, ports, programs, secrets, addition });
  return {
    layout,
    ports,
    steps: [
      [parts.temporal, parts.application, parts.platform],
      [parts.repository],
      ...(addition?.before ?? []),
      ...((options.worker ?? true) ? [[parts.worker, parts.control, ...(addition?.beside ?? [])]] : []),
      ...(addition?.after ?? []),
    ],
    writeConfig: () =>
      writeConfigFile({
        layout,
        ports,
        tenancy: options.tenancy,
        stanza: STANZA,
        pgBackRest: programs.pgBackRest,
        postgresBin: programs.postgres.directory,
        addition,
      }),
  };
}

async function additionOf(
  chaos: StackOptions['chaos'],
  of: {
    readonly layout: StackLayout;
    readonly ports: StackPorts;
    readonly chaosPorts: ChaosPorts | undefined;
    readonly postgres: PostgresBin;
  },
): Promise<ChaosAddition | undefined> {
  const { chaosPorts, ...rest } = of;
  if (chaos === undefined || chaosPorts === undefined) return undefined;
  return chaosAddition({ ...rest, chaos: chaosPorts, jobs: chaos.jobs, office: chaos.office ?? {} });
}

async function runningParts(layout: StackLayout): Promise<Set<keyof StackPorts>> {
  const running = new Set<keyof StackPorts>();
  if ((await detachedStatus(layout.temporal.recordFile)).kind === 'running')
    running.add('temporal').add('web');
  if ((await detachedStatus(layout.worker.recordFile)).kind === 'running') running.add('metrics');
  if ((await detachedStatus(layout.control.recordFile)).kind === 'running') running.add('control');
  for (const name of ['application', 'platform'] as const) {
    if ((await serverStatus(layout[name].dataDirectory)).kind === 'running') running.add(name);
  }
  return running;
}
