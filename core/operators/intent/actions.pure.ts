/** What operators do that changes something, and the role that each needs. */

export const ROLES = ['viewer', 'requester', 'approver', 'chaos', 'administrator'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Roles do not contain each other: who administers operators does not thereby restore tenants. An administrator who gives
 * himself a role leaves a statement of it.
 */
export const ACTIONS = {
  'recovery.restore': 'requester',
  'recovery.undo': 'requester',
  'recovery.restore-cluster': 'requester',
  'recovery.approve': 'approver',
  'recovery.reject': 'approver',
  'jobs.redrive': 'requester',
  'jobs.discard': 'requester',
  'jobs.quarantine': 'requester',
  'jobs.release': 'requester',
  'jobs.pause': 'requester',
  'jobs.resume': 'requester',
  'jobs.limit': 'requester',
  'undone.redrive': 'requester',
  'undone.leave': 'requester',
  'containment.contain': 'requester',
  'containment.release': 'requester',
  'degradation.override': 'requester',
  'degradation.release': 'requester',
  'degradation.read-only': 'requester',
  'degradation.writable': 'requester',
  'erasure.erase': 'requester',
  'audit.retain': 'administrator',
  'erasure.hold': 'administrator',
  'payload.decode': 'viewer',
  'payload.rotate-key': 'administrator',
  'payload.destroy-key': 'administrator',
  'chaos.run': 'chaos',
  'chaos.confirm': 'chaos',
  'chaos.abort': 'chaos',
  /** Consent to somebody else's intent: the other pair of eyes outside of a restore's own approval. */
  'intent.approve': 'approver',
  'operators.add': 'administrator',
  'operators.revoke': 'administrator',
  'operators.rotate': 'administrator',
  'operators.re-anchor': 'administrator',
} as const satisfies Record<string, Role>;

export type Action = keyof typeof ACTIONS;

export function isAction(name: string): name is Action {
  return Object.hasOwn(ACTIONS, name);
}
