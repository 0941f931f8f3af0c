import { setTimeout as sleep } from 'node:timers/promises';
import { JOB_SCHEDULES } from '../core/jobs';
import { type ScheduleRecord, TENANT_FIRST } from '../core/payload-codec';
import { workflowIdPart } from '../core/workflow-id';
import { searchAttributeNames } from '../workflows/contract';
import { RunNotFoundError } from './errors';
import { removeIfThere } from './schedule-if-there';
import type { TemporalLink } from './temporal-link';

/** A run that is asked to end has this long for its clean-up; then it is terminated. */
const GRACE_MS = 30_000;

const LOOK_EVERY_MS = 1_000;

/**
 * One empty answer is no proof. Where visibility is Elasticsearch a run is seen after two seconds: the server hands it over within
 * one, and the index is refreshed once in one; this is twice that, and begins when `keyCache` has passed since any run could start.
 * Source: temporalio/temporal, worker.ESProcessorFlushInterval; Elasticsearch, index.refresh_interval.
 */
const EMPTY_LOOKS = 5;

/** Of one list; the next look finds the rest. */
const PAGE = 500;

export interface EndOptions {
  readonly reason: string;
  readonly graceMs?: number;
  /** Called after each look with how many are open. */
  readonly onLook?: (open: number) => void;
}

/**
 * Removes a tenant's schedules and ends its open runs: asks them first, so that a restore releases the tenant, and
 * terminates what is left after a while.
 *
 * @returns how many runs were ended
 */
export async function endTenantRuns(
  link: TemporalLink,
  record: ScheduleRecord,
  tenant: string,
  { reason, graceMs = GRACE_MS, onLook }: EndOptions,
): Promise<number> {
  await removeSchedules(link, await record.of(tenant), tenant);
  const seen = new Set<string>();
  const patience = Date.now() + graceMs;
  for (let empty = 0; empty < EMPTY_LOOKS; ) {
    const open = await openRuns(link, tenant);
    onLook?.(open.length);
    empty = open.length === 0 ? empty + 1 : 0;
    for (const { workflowId, runId } of open) {
      const late = Date.now() >= patience;
      if (seen.has(runId) && !late) continue;
      seen.add(runId);
      await link
        .request(workflowId, async () => {
          const run = link.client.workflow.getHandle(workflowId, runId);
          await (late ? run.terminate(reason) : run.cancel());
        })
        .catch(unlessEnded);
    }
    await sleep(LOOK_EVERY_MS);
  }
  return seen.size;
}

interface OpenRun {
  readonly workflowId: string;
  readonly runId: string;
}

/** By the IDs that decide about the key, and by the tenant that a run says it is of. */
async function openRuns(link: TemporalLink, tenant: string): Promise<OpenRun[]> {
  const part = workflowIdPart(tenant);
  const ofTenant = [
    `${searchAttributeNames.tenant} = ${quoted(tenant)}`,
    ...TENANT_FIRST.map((prefix) => `WorkflowId STARTS_WITH ${quoted(`${prefix}/${part}/`)}`),
  ].join(' OR ');
  // Not the SDK's list, which decodes every run's memo.
  const { executions } = await link.request(tenant, () =>
    link.client.workflowService.listWorkflowExecutions({
      namespace: link.client.options.namespace,
      pageSize: PAGE,
      query: `ExecutionStatus = 'Running' AND (${ofTenant})`,
    }),
  );
  return (executions ?? []).flatMap(({ execution }) =>
    execution?.workflowId && execution.runId
      ? [{ workflowId: execution.workflowId, runId: execution.runId }]
      : [],
  );
}

/** Those that are recorded, and those of the list, from before there was a record. */
async function removeSchedules(
  link: TemporalLink,
  recorded: readonly string[],
  tenant: string,
): Promise<void> {
  const prefix = `${JOB_SCHEDULES}${workflowIdPart(tenant)}/`;
  await link.request(prefix, async () => {
    const { schedule } = link.client;
    const ids = new Set(recorded);
    for await (const { scheduleId } of schedule.list())
      if (scheduleId.startsWith(prefix)) ids.add(scheduleId);
    for (const id of ids) await removeIfThere(schedule.getHandle(id));
  });
}

/** A literal of Temporal's list filter. Source: docs.temporal.io, "List Filter": SQL quoting. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function unlessEnded(error: unknown): void {
  if (!(error instanceof RunNotFoundError)) throw error;
}
