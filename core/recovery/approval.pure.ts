/**
 * Approval of a restore, as a state machine: (state, event, now) → state or refusal. No clock, no I/O.
 *
 *   closed ──open──▶ open ──approve (the last one needed)──▶ approved
 *                     ├──reject──▶ rejected
 *                     └──the time limit passes──▶ expired
 *
 * Invariants
 * 1. An approval counts for one diff hash only; opening for another hash forgets all approvals.
 * 2. The requester's own approval never counts, and nobody's counts twice.
 * 3. After the deadline nothing changes the state but the expiry.
 */

export type ApprovalState =
  | { readonly kind: 'closed' }
  | OpenApproval
  | { readonly kind: 'approved'; readonly diffHash: string; readonly approvedBy: readonly string[] }
  | { readonly kind: 'rejected'; readonly diffHash: string; readonly by: string; readonly reason: string }
  | { readonly kind: 'expired'; readonly diffHash: string; readonly approvedBy: readonly string[] };

export interface OpenApproval {
  readonly kind: 'open';
  readonly diffHash: string;
  readonly requestedBy: string;
  readonly needed: 1 | 2;
  readonly approvedBy: readonly string[];
  /** Milliseconds since the epoch, by the workflow's clock. */
  readonly deadline: number;
}

export interface Refusal {
  readonly code:
    | 'HASH_MISMATCH'
    | 'APPROVAL_BY_REQUESTER'
    | 'ALREADY_APPROVED'
    | 'APPROVAL_CLOSED'
    | 'INVALID_INPUT';
  readonly message: string;
  readonly hint: string;
}

export type Decision =
  | { readonly kind: 'accepted'; readonly state: ApprovalState }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export const closedApproval: ApprovalState = { kind: 'closed' };

export function openApproval(request: Omit<OpenApproval, 'kind' | 'approvedBy'>): OpenApproval {
  return { kind: 'open', ...request, approvedBy: [] };
}

export function approve(
  state: ApprovalState,
  approval: { readonly diffHash: string; readonly as: string },
  now: number,
): Decision {
  const person = approval.as.trim();
  if (person === '')
    return refuse(
      'INVALID_INPUT',
      'An approval needs the name of the person who approves.',
      'Give it as `as`.',
    );
  if (state.kind !== 'open' || now >= state.deadline) return refuseClosed(state, now);
  if (approval.diffHash !== state.diffHash) {
    return refuse(
      'HASH_MISMATCH',
      `The approval is for diff ${brief(approval.diffHash)}, but the restore now shows diff ${brief(state.diffHash)}.`,
      'Look at the current preview and approve the hash it shows.',
    );
  }
  if (samePerson(person, state.requestedBy)) {
    return refuse(
      'APPROVAL_BY_REQUESTER',
      `${person} asked for this restore and so cannot approve it.`,
      'Have another person look at the preview and approve it.',
    );
  }
  if (state.approvedBy.some((other) => samePerson(person, other))) {
    return refuse(
      'ALREADY_APPROVED',
      `${person} has approved this diff already; ${state.needed} different people are needed.`,
      'Have a second person approve it.',
    );
  }
  const approvedBy = [...state.approvedBy, person];
  return {
    kind: 'accepted',
    state:
      approvedBy.length >= state.needed
        ? { kind: 'approved', diffHash: state.diffHash, approvedBy }
        : { ...state, approvedBy },
  };
}

export function reject(
  state: ApprovalState,
  rejection: { readonly as: string; readonly reason: string },
  now: number,
): Decision {
  const person = rejection.as.trim();
  if (person === '')
    return refuse(
      'INVALID_INPUT',
      'A rejection needs the name of the person who rejects.',
      'Give it as `as`.',
    );
  if (state.kind !== 'open' || now >= state.deadline) return refuseClosed(state, now);
  return {
    kind: 'accepted',
    state: { kind: 'rejected', diffHash: state.diffHash, by: person, reason: rejection.reason },
  };
}

/** What the state is at `now`: an open approval whose time has passed has expired. */
export function expire(state: ApprovalState, now: number): ApprovalState {
  if (state.kind !== 'open' || now < state.deadline) return state;
  return { kind: 'expired', diffHash: state.diffHash, approvedBy: state.approvedBy };
}

/** Names are compared without case and outer blanks: "Ada" must not approve for "ada". */
function samePerson(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase();
}

function refuseClosed(state: ApprovalState, now: number): Decision {
  const current = expire(state, now);
  switch (current.kind) {
    case 'closed':
    case 'open':
      return refuse(
        'APPROVAL_CLOSED',
        'There is no preview to decide on yet.',
        'Wait until the phase is awaiting-approval.',
      );
    case 'approved':
      return refuse(
        'APPROVAL_CLOSED',
        `This diff was approved by ${current.approvedBy.join(' and ')}.`,
        'Nothing is left to decide; `recovery status` shows how it goes on.',
      );
    case 'rejected':
      return refuse('APPROVAL_CLOSED', `The restore was rejected by ${current.by}.`, 'Start a new restore.');
    case 'expired':
      return refuse(
        'APPROVAL_CLOSED',
        'The time limit for approval has passed; nothing was changed.',
        'Start a new restore.',
      );
  }
}

function refuse(code: Refusal['code'], message: string, hint: string): Decision {
  return { kind: 'refused', refusal: { code, message, hint } };
}

/** Enough of a hash to recognise it. */
function brief(hash: string): string {
  return hash.length > 12 ? `${hash.slice(0, 12)}…` : hash;
}
