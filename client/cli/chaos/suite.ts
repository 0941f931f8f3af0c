import { randomInt } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import {
  htmlReport,
  junit,
  pick,
  readExperiment,
  resilienceScore,
  type SuiteEntry,
  type SuiteRun,
  shortfall,
} from '../../../core/chaos';
import type { ChaosReport } from '../../../core/chaos/types';
import { InvalidInputError, messageOf, whenMissing } from '../../../core/errors';
import type { ChaosClient } from '../../chaos';
import type { Output } from '../output';
import { suitePage } from '../pages/suite-page';
import { wholeNumber } from '../recovery/options';
import { type CommonOptions, inSession, withCommonOptions } from '../session';

/** Beside this code both in the sources and in the package. */
const CATALOGUE = join(__dirname, '..', '..', '..', 'examples', 'experiments');

interface SuiteOptions extends CommonOptions {
  readonly directory: string;
  readonly out?: string;
  readonly pick?: number;
  readonly seed?: number;
  readonly as?: string;
}

/** `chronawflow chaos suite` */
export function registerSuite(chaos: Command): void {
  withCommonOptions(chaos.command('suite'))
    .description(
      'run a catalogue of experiments one after the other; exit code 1 unless some ran and all of them passed',
    )
    .option('--directory <dir>', 'the catalogue: JSON and YAML files', CATALOGUE)
    .option('--out <dir>', 'write junit.xml, report.html and history.jsonl, whose scores are the trend')
    .option('--pick <n>', 'only so many, by chance', wholeNumber)
    .option('--seed <n>', 'of the chance: the same seed makes the same choice', wholeNumber)
    .option('--as <name>', 'who asks')
    .addHelpText('after', '\nExample:\n  $ chronawflow chaos suite --pick 5 --seed 42 --out chaos-report')
    .action((options: SuiteOptions) =>
      inSession(options, async ({ cf, out }) => {
        const { run, reports } = await runSuite(cf.chaos, options, out);
        if (options.out !== undefined) await writeReports(options.out, run, reports);
        out.result(run, () => suitePage(run));
        const judged = run.entries.filter(({ verdict }) => verdict !== 'refused');
        if (judged.length === 0 || judged.some(({ verdict }) => verdict !== 'passed')) process.exitCode = 1;
      }),
    );
}

interface SuiteResult {
  readonly run: SuiteRun;
  readonly reports: ReadonlyMap<string, ChaosReport>;
}

async function runSuite(chaos: ChaosClient, options: SuiteOptions, out: Output): Promise<SuiteResult> {
  const files = await catalogue(options.directory);
  const seed = options.pick === undefined ? options.seed : (options.seed ?? randomInt(2 ** 31));
  const chosen = options.pick === undefined || seed === undefined ? files : pick(files, options.pick, seed);
  const entries: SuiteEntry[] = [];
  const reports = new Map<string, ChaosReport>();
  for (const file of chosen) {
    const { entry, report } = await runOne(chaos, options.directory, file, { seed, as: options.as });
    entries.push(entry);
    if (report !== undefined) reports.set(file, report);
    out.note(
      `${entry.verdict.padEnd(10)} ${entry.title}${entry.message === undefined ? '' : `: ${entry.message}`}`,
    );
  }
  return { run: { at: new Date().toISOString(), seed, entries, score: resilienceScore(entries) }, reports };
}

async function catalogue(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(whenMissing<string[]>([]));
  const files = names.filter((name) => /\.(json|ya?ml)$/.test(name)).sort();
  if (files.length === 0) throw new InvalidInputError(`${directory} holds no experiment.`);
  return files;
}

/** An experiment that is refused is an entry too: the suite of a host that lacks a target says so, and goes on. */
async function runOne(
  chaos: ChaosClient,
  directory: string,
  file: string,
  { seed, as }: { readonly seed: number | undefined; readonly as: string | undefined },
): Promise<{ readonly entry: SuiteEntry; readonly report?: ChaosReport }> {
  const experiment = readExperiment(await readFile(join(directory, file), 'utf8'), file);
  const begun = Date.now();
  const entry = { file, title: experiment.title, weight: weightOf(experiment.tags) };
  try {
    const run = await chaos.run({ experiment: experiment.document, requestedBy: as, reason: 'suite', seed });
    const report = await run.result();
    const message = shortfall(report);
    const { residual } = report;
    const verdict = isImpossibleHere(report) ? 'refused' : report.verdict;
    return {
      report,
      entry: {
        ...entry,
        verdict,
        residual,
        durationMs: Date.now() - begun,
        ...(message === undefined ? {} : { message }),
      },
    };
  } catch (error) {
    const message = messageOf(error);
    return { entry: { ...entry, verdict: 'refused', residual: 0, durationMs: Date.now() - begun, message } };
  }
}

/** What this host cannot inject, such as for a program or a kernel's module that it lacks, says nothing of the system. */
function isImpossibleHere({ verdict, error, faults }: ChaosReport): boolean {
  return (
    verdict === 'failed' &&
    error?.code === 'CHAOS_FAULT_NOT_INJECTED' &&
    faults.every(({ injected }) => !injected)
  );
}

/** A tag `weight:3` makes an experiment count three times. */
function weightOf(tags: readonly string[]): number {
  const weight = Number(tags.find((tag) => tag.startsWith('weight:'))?.slice('weight:'.length) ?? 1);
  return Number.isFinite(weight) && weight > 0 ? weight : 1;
}

async function writeReports(
  directory: string,
  run: SuiteRun,
  reports: SuiteResult['reports'],
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'history.jsonl');
  await appendFile(file, `${JSON.stringify({ at: run.at, score: run.score.score, seed: run.seed })}\n`);
  const history = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  await writeFile(join(directory, 'junit.xml'), junit(run.entries));
  await writeFile(join(directory, 'report.html'), htmlReport(run, reports, history));
}
