import type { Config } from '../../config';

/** Address of a run in Temporal's Web UI; undefined when the configuration names no Web UI. */
export function webLink(
  temporal: Config['temporal'],
  workflowId: string,
  runId?: string,
): string | undefined {
  if (temporal.webUrl === undefined) return undefined;
  const base = temporal.webUrl.replace(/\/+$/, '');
  const run = runId === undefined ? '' : `/${encodeURIComponent(runId)}/history`;
  return `${base}/namespaces/${encodeURIComponent(temporal.namespace)}/workflows/${encodeURIComponent(workflowId)}${run}`;
}
