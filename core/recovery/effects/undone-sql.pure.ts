import { quoteIdentifier } from '../../../database';
import { restoreTableName } from '../slice/restore-tables.pure';

/** What was completed at the target: `kind` is `record` or `job`. Unlogged; one row stands for the copy itself. */
export function completionsTable(restoreId: string): string {
  return `chronawflow.${quoteIdentifier(completionsTableName(restoreId))}`;
}

export function completionsTableName(restoreId: string): string {
  return restoreTableName(restoreId, 'completed', 0);
}

/** Is not there when the server crashed since and emptied the table, which would look like "nothing was completed". */
export const COPIED = 'copied';

/** As core/jobs names a job's steps: JSON of JavaScript and of PostgreSQL are the same for text. */
const JOB_SCOPE = `'job [' || to_json(j.type)::text || ',' || to_json(j.key)::text || ']'`;

/**
 * What is completed now and was not at the target, with the tenant as $1. A record counts by its commit, whatever its own
 * time says: the scratch cluster has exactly those that were committed. An item that a batch moved to a job of its own had
 * no effect but that job, which no restore takes back.
 */
export function undoneSql(completions: string): string {
  return completedSince(completions, (table) => `${table}.tenant = $1`);
}

/** The same over all tenants, of whom `completions` has all as well. */
export function undoneOfAllSql(completions: string): string {
  return completedSince(completions, () => 'true');
}

function completedSince(completions: string, whose: (table: string) => string): string {
  return `
    select j.tenant, 'job' as kind, j.type, j.key, '' as step, coalesce(j.owner, '') as owner, j.finished_at as completed_at
    from chronawflow.job j
    where ${whose('j')} and j.state = 'done' and not exists (
      select from ${completions} s
      where s.tenant = j.tenant and s.kind = 'job' and s.scope = j.type and s.key = j.key
        and s.owner = coalesce(j.owner, ''))
    union all
    select i.tenant, case when j.key is null then 'request' else 'step' end, coalesce(j.type, i.scope), coalesce(j.key, i.key),
      case when j.key is null then '' else i.key end, i.owner, i.completed_at
    from chronawflow.idempotency i
    left join chronawflow.job j on j.tenant = i.tenant and i.scope = ${JOB_SCOPE}
    where ${whose('i')} and i.state = 'completed' and not exists (
        select from ${completions} s
        where s.tenant = i.tenant and s.kind = 'record' and s.scope = i.scope and s.key = i.key
          and s.owner = i.owner)
      and not exists (
        select from chronawflow.job part
        where part.tenant = j.tenant and part.type = j.type and part.key = i.result ->> 'movedTo')`;
}

/** Open marks of earlier restores on what this restore's target has: its effects are there again. With the tenant as $1. */
export function returnedSql(completions: string): string {
  return `
    delete from chronawflow.undone_effect u
    where u.tenant = $1 and u.state = 'open' and exists (
      select from ${completions} s
      where s.owner = u.owner and case u.kind
        when 'job' then s.kind = 'job' and s.scope = u.type and s.key = u.key
        when 'request' then s.kind = 'record' and s.scope = u.type and s.key = u.key
        else s.kind = 'record' and s.key = u.step
          and s.scope = 'job [' || to_json(u.type)::text || ',' || to_json(u.key)::text || ']' end)`;
}
