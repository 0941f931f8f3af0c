import type { Command } from 'commander';
import { type Config, ConfigInvalidError, loadConfig } from '../../config';
import {
  broken,
  examineHost,
  examineParts,
  type Finding,
  type FindingState,
  ok,
  runCheck,
} from '../../core/doctor';
import { checkTemporal } from './check-temporal';
import { colors as pc } from './colors';

interface DoctorOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** `chronawflow doctor` */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check everything that a restore depends on, and say how to mend what is missing')
    .option('--config <file>', 'chronawflow.yaml (default: CHRONAWFLOW_CONFIG, or the working directory)')
    .option('--json', 'print the findings as one JSON object')
    .addHelpText('after', '\nExample:\n  $ chronawflow doctor --config .chronawflow/chronawflow.yaml')
    .action(async (_: DoctorOptions, command: Command) => {
      const options = command.optsWithGlobals<DoctorOptions>();
      const findings = await examine(options.config, (found) => {
        if (!options.json) for (const finding of found) process.stdout.write(`${describe(finding)}\n`);
      });
      const healthy = findings.every(({ state }) => state !== 'broken');
      process.stdout.write(
        options.json ? `${JSON.stringify({ healthy, findings })}\n` : `\n${conclusion(findings)}\n`,
      );
      if (!healthy) process.exitCode = 1;
    });
}

/** All findings; each group is also handed over as soon as it is known. */
export async function examine(
  configFile: string | undefined,
  onFindings: (findings: readonly Finding[]) => void,
): Promise<readonly Finding[]> {
  const host = await examineHost(onFindings);
  const config = readConfig(configFile);
  onFindings([config.finding]);
  if (config.value === undefined) return [...host, config.finding];
  const temporal = await runCheck(checkTemporal(config.value.temporal));
  onFindings(temporal);
  return [...host, config.finding, ...temporal, ...(await examineParts(config.value, onFindings))];
}

function readConfig(configFile: string | undefined): { readonly finding: Finding; readonly value?: Config } {
  try {
    const value = loadConfig({ configFile });
    return { finding: ok('configuration', 'valid'), value };
  } catch (error) {
    if (!(error instanceof ConfigInvalidError)) throw error;
    return { finding: broken('configuration', error.message, error.hint ?? 'Correct the file.') };
  }
}

const MARK: Readonly<Record<FindingState, string>> = {
  ok: pc.green('ok     '),
  warning: pc.yellow('warning'),
  broken: pc.red('broken '),
  skipped: pc.dim('skipped'),
};

export function describe(finding: Finding): string {
  const line = `${MARK[finding.state]}  ${finding.name.padEnd(24)}  ${finding.detail}`;
  return finding.fix === undefined ? line : `${line}\n         ${pc.dim('→')} ${finding.fix}`;
}

function conclusion(findings: readonly Finding[]): string {
  const count = (state: FindingState) => findings.filter((finding) => finding.state === state).length;
  const bad = count('broken');
  const warnings = count('warning');
  const warned = `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`;
  return bad === 0 ? `Ready to restore; ${warned}.` : `${bad} broken, ${warned}.`;
}
