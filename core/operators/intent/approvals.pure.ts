import type { GoodIntent, IntentRefusal } from './check-intent.pure';

/**
 * Four eyes: how many other people have consented. One person counts once however many keys he has, and never for what he
 * asked for himself.
 *
 * @returns undefined when it is enough
 */
export function missingApprovals(
  request: Pick<GoodIntent, 'operator'>,
  approvals: readonly Pick<GoodIntent, 'operator'>[],
  needed: number,
): IntentRefusal | undefined {
  const requester = request.operator.name;
  const people = new Set(approvals.map(({ operator }) => operator.name).filter((name) => name !== requester));
  if (people.size >= needed) return undefined;
  return {
    code: 'APPROVALS_MISSING',
    message: `It needs ${needed} signed approval${needed === 1 ? '' : 's'} by others than ${requester}, and has ${people.size}.`,
    hint: 'Have approvers sign: `chronawflow recovery approve`.',
  };
}
