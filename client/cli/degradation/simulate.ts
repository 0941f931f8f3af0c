import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { loadConfig } from '../../../config';
import { loadPolicy, parseSeries, simulate } from '../../../core/degradation';
import { InvalidInputError, messageOf } from '../../../core/errors';
import { Output } from '../output';
import { simulationPage } from '../pages/degradation-page';

interface SimulateOptions {
  readonly policy?: string;
  readonly json?: boolean;
}

/** `chronawflow degradation simulate`: what a policy would have done, without any connection. */
export function registerSimulate(degradation: Command): void {
  degradation
    .command('simulate')
    .description('print and draw the levels that a recorded series of samples leads to')
    .argument('<samples.csv>', 'time,signal,instance,value; ISO 8601 or seconds, the oldest first')
    .option('--policy <file>', 'chronawflow.yaml with a section degradation (default: as for --config)')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow degradation simulate samples.csv --policy chronawflow.yaml',
    )
    .action(async (file: string, options: SimulateOptions) => {
      const { degradation: section } = loadConfig({ configFile: options.policy });
      if (section === undefined) throw new InvalidInputError('degradation: the policy has no such section');
      const policy = loadPolicy(section);
      const points = parseSeries(await textOf(file), file);
      const steps = [...simulate(policy, points)];
      const levels = steps.flatMap(({ at, transition }) =>
        transition === undefined
          ? []
          : [{ ...transition, at: new Date(at).toISOString(), level: policy.levels[transition.to]?.name }],
      );
      new Output(options.json ?? false).result(
        { samples: points.length, decisions: steps.length, levels },
        () => simulationPage(policy, points, steps),
      );
    });
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new InvalidInputError(`${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
