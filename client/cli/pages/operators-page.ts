import type { Operator, Registry } from '../../../core/operators';
import { table } from './format';

/** `operators list` for people. */
export function operatorsPage(operators: readonly Operator[], ignored: Registry['ignored']): string[] {
  return [
    ...table(
      ['operator', 'roles', 'keys', ''],
      operators.map((operator) => [operator.name, rolesOf(operator), keysOf(operator), noteOf(operator)]),
    ),
    ...ignored.map(({ seq, reason }) => `! statement ${seq} has no effect: ${reason}`),
  ];
}

function rolesOf({ grants }: Operator): string {
  return grants
    .map(({ role, tenants }) => (tenants === undefined ? role : `${role} of ${tenants.join(', ')}`))
    .join('\n');
}

function keysOf({ keys }: Operator): string {
  return keys
    .map(({ fingerprint, until }) => (until === undefined ? fingerprint : `${fingerprint} until ${until}`))
    .join('\n');
}

function noteOf({ root, revoked }: Operator): string {
  if (revoked !== undefined) return `revoked by ${revoked.by} at ${revoked.at}`;
  return root ? 'root' : '';
}
