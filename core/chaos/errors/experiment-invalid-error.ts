import { ChronawflowError } from '../../errors';

export interface ExperimentProblem {
  /** Such as `method.0.provider.url`. */
  readonly path: string;
  readonly reason: string;
  /** From 1; undefined when it was not read from text. */
  readonly line?: number;
  readonly column?: number;
}

/** The experiment cannot be run as it is written; nothing was started. */
export class ExperimentInvalidError extends ChronawflowError {
  readonly code = 'CHAOS_EXPERIMENT_INVALID';
  override readonly kind = 'usage';

  constructor(
    readonly source: string,
    readonly problems: readonly ExperimentProblem[],
  ) {
    super(`${source}: ${problems.map(describe).join('; ')}`, {
      hint: 'The format is Chaos Toolkit’s; docs/resilience/chaos.md says what is added.',
      details: { source, problems: problems.slice(0, 20) },
    });
  }
}

function describe({ path, reason, line, column }: ExperimentProblem): string {
  return `${path || 'the experiment'}: ${reason}${line === undefined ? '' : ` (line ${line}, column ${column})`}`;
}
