import type { ClientBase } from 'pg';
import type { Config } from '../../../config';
import { InvalidInputError } from '../../errors';
import { AttributionUnclearError } from '../errors/attribution-unclear-error';
import { type Attribution, type AttributionRules, attributeTables } from './attribution.pure';
import type { Catalog } from './catalog-types';
import { planProblems } from './plan-slice.pure';
import { readCatalog } from './read-catalog';

export interface LiveSlice {
  readonly catalog: Catalog;
  readonly attribution: Attribution;
  readonly rules: AttributionRules;
  readonly schemas: readonly string[];
}

/** Reads the live catalog and attributes its tables; one error lists everything that is unclear. */
export async function loadSlice(
  client: ClientBase,
  tenancy: Config['tenancy'],
  tenant: string,
): Promise<LiveSlice> {
  const schemas = sliceSchemas(tenancy, tenant);
  const catalog = await readCatalog(client, schemas);
  const rules: AttributionRules = {
    model: tenancy.model,
    table: tenancy.table,
    key: tenancy.key,
    columns: tenancy.columns,
    overrides: tenancy.overrides,
  };
  const attribution = attributeTables(catalog, rules);
  const problems = planProblems(attribution);
  if (problems.length > 0) throw new AttributionUnclearError(problems);
  return { catalog, attribution, rules, schemas };
}

/**
 * The schemas that hold the tenant's tables: the configured ones, or in model `schema` the tenant's own. Never the
 * platform's: its records of what happened are not rolled back (README.md, invariant 21).
 *
 * @throws InvalidInputError
 */
export function sliceSchemas(tenancy: Config['tenancy'], tenant: string): readonly string[] {
  const schemas =
    tenancy.model === 'schema' ? [tenancy.schemaName.replaceAll('{tenant}', tenant)] : tenancy.schemas;
  if (schemas.includes('chronawflow')) {
    throw new InvalidInputError('The schema chronawflow is the platform’s own: no restore rolls it back.', {
      hint: 'Take it out of `tenancy.schemas`; in model `schema`, see that `tenancy.schemaName` never yields it.',
      details: { schemas },
    });
  }
  return schemas;
}
