import { setTimeout as sleep } from 'node:timers/promises';
import { ScheduleNotFoundError } from '@temporalio/client';
import { JOB_SCHEDULES } from '../core/jobs';
import { TENANT_FIRST } from '../core/payload-codec';
import { workflowIdPart } from '../core/workflow-id';
import { searchAttributeNames } from '../workflows/contract';
import { RunNotFoundError } from './errors';
import type { TemporalLink } from './temporal-link';

/** A run that is asked to end has this long for its clean-up; then it is terminated. */
const GRACE_MS = 30_000;

const LOOK_EVERY_MS = 1_000;

/** Visibility may lag behind by a second or two where it is Elasticsearch: one empty answer is no proof. */
const EMPTY_LOOKS = 3;

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
  tenant: string,
  { reason, graceMs = GRACE_MS, onLook }: EndOptions,
): Promise<number> {
  await removeSchedules(link, tenant);
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

async function removeSchedules(link: TemporalLink, tenant: string): Promise<void> {
  const prefix = `${JOB_SCHEDULES}${workflowIdPart(tenant)}/`;
  await link.request(prefix, async () => {
    for await (const { scheduleId } of link.client.schedule.list()) {
      if (!scheduleId.startsWith(prefix)) continue;
      await link.client.schedule.getHandle(scheduleId).delete().catch(unlessEnded);
    }
  });
}

/** A literal of Temporal's list filter. Source: docs.temporal.io, "List Filter": SQL quoting. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function unlessEnded(error: unknown): void {
  if (!(error instanceof RunNotFoundError || error instanceof ScheduleNotFoundError)) throw error;
}
