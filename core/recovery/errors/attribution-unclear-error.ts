import { ChronawflowError } from '../../errors';

/** Tables that cannot be attributed to a tenant, or only in more than one way. */
export class AttributionUnclearError extends ChronawflowError {
  readonly code = 'ATTRIBUTION_UNCLEAR';
  override readonly kind = 'usage';

  constructor(
    problems: readonly {
      readonly table: string;
      readonly reason: string;
      readonly overrides: readonly string[];
    }[],
  ) {
    const lines = problems.map(({ table, reason, overrides }) =>
      [`${table}: ${reason}`, ...overrides.map((line) => `    ${line}`)].join('\n  '),
    );
    super(`${problems.length} table(s) cannot be attributed to a tenant:\n  ${lines.join('\n  ')}`, {
      hint: problems.some(({ overrides }) => overrides.length > 0)
        ? 'Write one of the lines shown under tenancy.overrides in chronawflow.yaml.'
        : 'Mend what is named in tenancy.overrides of chronawflow.yaml, or in the table itself.',
      details: { problems },
    });
  }
}
