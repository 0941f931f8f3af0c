import fc from 'fast-check';
import {
  type ApprovalState,
  approve,
  closedApproval,
  type Decision,
  expire,
  openApproval,
  reject,
} from '../../core/recovery/approval.pure';

const people = fc.constantFrom('ada', 'Ada ', 'grace', 'GRACE', 'mary', 'joan');
const hashes = fc.constantFrom('hash-1', 'hash-2');

type Event =
  | { readonly kind: 'approve'; readonly as: string; readonly diffHash: string; readonly at: number }
  | { readonly kind: 'reject'; readonly as: string; readonly at: number }
  | { readonly kind: 'expire'; readonly at: number };

const events: fc.Arbitrary<Event[]> = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant('approve' as const), as: people, diffHash: hashes, at: fc.nat(200) }),
      fc.record({ kind: fc.constant('reject' as const), as: people, at: fc.nat(200) }),
      fc.record({ kind: fc.constant('expire' as const), at: fc.nat(200) }),
    ),
    { maxLength: 12 },
  )
  .map((list) => list.sort((a, b) => a.at - b.at));

const same = (a: string, b: string) => a.trim().toLowerCase() === b.trim().toLowerCase();

function apply(state: ApprovalState, event: Event): ApprovalState {
  const accepted = (decision: Decision) => (decision.kind === 'accepted' ? decision.state : state);
  switch (event.kind) {
    case 'approve':
      return accepted(approve(state, event, event.at));
    case 'reject':
      return accepted(reject(state, { as: event.as, reason: 'no' }, event.at));
    case 'expire':
      return expire(state, event.at);
  }
}

test('approval needs that many different people, for the right hash, in time, and never the requester', () => {
  fc.assert(
    fc.property(fc.constantFrom(1 as const, 2 as const), events, (needed, list) => {
      const opened = openApproval({ diffHash: 'hash-1', requestedBy: 'ada', needed, deadline: 100 });
      const end = list.reduce<ApprovalState>(apply, opened);
      if (end.kind !== 'approved') return;
      const valid = list.filter(
        (event) =>
          event.kind === 'approve' && event.diffHash === 'hash-1' && event.at < 100 && !same(event.as, 'ada'),
      );
      expect(end.approvedBy).toHaveLength(needed);
      for (const person of end.approvedBy) {
        expect(valid.some((event) => event.kind === 'approve' && same(event.as, person))).toBe(true);
      }
      const [first = '', second = ''] = end.approvedBy;
      if (needed === 2) expect(same(first, second)).toBe(false);
    }),
  );
});

test('what is decided stays decided', () => {
  fc.assert(
    fc.property(events, fc.nat(12), (list, cut) => {
      const opened = openApproval({ diffHash: 'hash-1', requestedBy: 'ada', needed: 1, deadline: 100 });
      const early = list.slice(0, cut).reduce<ApprovalState>(apply, opened);
      if (early.kind === 'open') return;
      expect(list.slice(cut).reduce<ApprovalState>(apply, early)).toEqual(early);
    }),
  );
});

test('at the deadline it is too late, a moment before it is not', () => {
  const opened = openApproval({ diffHash: 'h', requestedBy: 'ada', needed: 1, deadline: 100 });
  expect(approve(opened, { diffHash: 'h', as: 'grace' }, 99).kind).toBe('accepted');
  expect(approve(opened, { diffHash: 'h', as: 'grace' }, 100)).toMatchObject({
    refusal: { code: 'APPROVAL_CLOSED' },
  });
  expect(expire(opened, 99)).toBe(opened);
  expect(expire(opened, 100).kind).toBe('expired');
});

test('the requester may reject, nobody may without a name, and nothing before there is a preview', () => {
  const opened = openApproval({ diffHash: 'h', requestedBy: 'ada', needed: 1, deadline: 100 });
  expect(reject(opened, { as: 'ada', reason: 'wrong' }, 1).kind).toBe('accepted');
  expect(reject(opened, { as: ' ', reason: 'wrong' }, 1)).toMatchObject({
    refusal: { code: 'INVALID_INPUT' },
  });
  expect(approve(closedApproval, { diffHash: 'h', as: 'grace' }, 1)).toMatchObject({
    refusal: { code: 'APPROVAL_CLOSED' },
  });
});
