import { type ContainmentRecord, describeTarget } from '../../../core/containment';
import type { ContainmentStatus } from '../../../workflows/containment-contract';
import { colors as pc } from '../colors';
import { facts, table } from './format';

export function containmentsPage(containments: readonly ContainmentRecord[]): string[] {
  if (containments.length === 0) return ['Nothing is contained.'];
  return [
    ...table(
      ['ID', 'what', 'state', 'by', 'since', 'until', 'why'],
      containments.map((one) => [
        one.id,
        describeTarget(one.target),
        one.outcome ?? one.state,
        one.requestedBy,
        one.startedAt,
        one.endedAt ?? one.endsAt,
        one.reason,
      ]),
      7,
    ),
    ...containments.flatMap(({ id, parts, stopsCore, state }) => [
      ...parts
        .filter((part) => state !== 'ended' && (part.state === 'failed' || part.state === 'left'))
        .map((part) => `${pc.yellow('!')} ${id}: ${part.resource} ${part.state}: ${part.note ?? ''}`),
      ...parts.flatMap(({ resource, inFlight }) =>
        inFlight === undefined || state === 'ended'
          ? []
          : [`${id}: ${resource}: ${inFlight} calls still under way`],
      ),
      ...(stopsCore.length === 0 || state === 'ended'
        ? []
        : [`${pc.yellow('!')} ${id} stops core types: ${stopsCore.join(', ')}`]),
    ]),
  ];
}

export function containmentPage(
  run: { readonly id: string; readonly workflowId: string; readonly webUrl: string | undefined },
  status: ContainmentStatus,
): string[] {
  return [
    pc.bold(describeTarget(status.target)),
    ...facts([
      ['ID', run.id],
      ['workflow', run.workflowId],
      ['phase', status.outcome ?? status.phase],
      ...(run.webUrl === undefined ? [] : [['web', run.webUrl] as const]),
    ]),
    ...status.notices.map((notice) => `${pc.yellow('!')} ${notice}`),
    `Undo it: chronawflow contain release ${run.id}`,
  ];
}
