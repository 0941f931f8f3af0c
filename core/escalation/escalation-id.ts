import { createHash } from 'node:crypto';
import { workflowIdPart } from '../workflow-id';

/** `escalation/<fingerprint>`: the same alert meets the run that is under way, and begins another when that has ended. */
export function escalationWorkflowId(fingerprint: string): string {
  return `escalation/${workflowIdPart(fingerprint)}`;
}

/** Of one run, the same for every attempt of its steps. */
export function escalationId(workflowId: string, runId: string): string {
  return `e${createHash('sha256').update(`${workflowId}\n${runId}`).digest('hex').slice(0, 12)}`;
}
