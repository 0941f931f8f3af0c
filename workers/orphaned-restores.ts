import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { type JournalEntry, RestoreJournal } from '../core/recovery/restore-journal';
import type { ReleaseInput } from '../core/recovery/types';
import { releaseWorkflowId } from '../core/recovery/workflow-id';
import { repeat } from '../core/repeat';
import { workflowNames } from '../workflows/contract';
import { failedRound } from './failed-round';

/** A terminated run skips its clean-up: its tenant stays frozen about this long, not until the freeze's own limit. */
const EVERY_MS = 30_000;
/** Temporal may have been restored, or this be the wrong namespace: what it does not know is not gone at once. */
const UNKNOWN_FOR_MS = 10 * 60_000;

export interface OrphanedRestoresOptions {
  readonly client: Client;
  readonly platform: Pool;
  readonly taskQueue: string;
  readonly log: Logger;
  readonly everyMs?: number;
}

/**
 * Watches for restores, undos and drills that have not ended while their run has, and starts their clean-up. Every worker may
 * do it: the clean-up of a restore is one run, whoever starts it.
 *
 * @returns how to stop it, which resolves when a running round has ended.
 */
export function watchOrphanedRestores({
  everyMs = EVERY_MS,
  ...options
}: OrphanedRestoresOptions): () => Promise<void> {
  const rounds = repeat(
    everyMs,
    () => releaseOrphans(options),
    failedRound(options.log, 'looking for orphaned restores'),
  );
  rounds.start('later');
  return rounds.stop;
}

async function releaseOrphans({ client, platform, taskQueue, log }: OrphanedRestoresOptions): Promise<void> {
  for (const entry of await new RestoreJournal(platform).unfinished()) {
    if (!(await hasEnded(client, entry))) continue;
    const input: ReleaseInput = {
      restoreId: entry.id,
      requestedBy: 'chronawflow',
      reason: 'its run ended without its clean-up',
    };
    await client.workflow.start(workflowNames.releaseRestore, {
      workflowId: releaseWorkflowId(entry.id),
      taskQueue,
      args: [input],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `Clean up after ${entry.workflowId}`,
    });
    log.warn({ restore: entry.id, workflowId: entry.workflowId }, 'cleaning up after a run that is gone');
  }
}

async function hasEnded(client: Client, entry: JournalEntry): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(entry.workflowId).describe();
    return status.name !== 'RUNNING';
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    return Date.now() - Date.parse(entry.startedAt) > UNKNOWN_FOR_MS;
  }
}
