import type { Pool } from 'pg';
import type { Config } from '../../config';
import { askWitnesses, operatorPolicy, readRegistry } from '../operators';
import { broken, type Check, ok, warning } from './finding';

const NAME = 'operators';

/** Whether people are proved by keys, and whether what is signed would be accepted now. */
export function checkOperators(pool: Pool, config: Config): Check {
  return {
    name: NAME,
    fallbackFix: 'See docs/compliance/access-control.md.',
    look: async () => {
      const policy = await operatorPolicy(config);
      if (policy === undefined) {
        return [
          warning(
            NAME,
            'people are the names that they give themselves: whoever reaches Temporal can approve as anybody',
            'Let operators sign: the section operators, docs/compliance/access-control.md.',
          ),
        ];
      }
      const { operators, reAnchors, ignored } = await readRegistry(pool, policy.roots);
      const active = [...operators.values()].filter(({ revoked }) => revoked === undefined);
      const witnessed = await askWitnesses(pool, policy);
      const left = new Set(reAnchors.flatMap(({ witnesses }) => witnesses.map(({ name }) => name)));
      return [
        ok(NAME, `${active.length} sign, ${policy.roots.length} of them root`),
        ...ignored.map(({ seq, reason }) =>
          warning(NAME, `statement ${seq} has no effect: ${reason}`, 'Find out who has written it.'),
        ),
        ...(witnessed.length === 0
          ? [
              warning(
                NAME,
                'no witness would tell a control plane that was set back',
                'Run one: chronawflow witness, audit.witnesses.',
              ),
            ]
          : []),
        ...witnessed.flatMap(({ name, view }) => {
          if (view.kind === 'agrees') return [];
          if (view.kind === 'away')
            return [warning(NAME, `witness ${name} does not answer`, 'Start it, and the sealer.')];
          return left.has(name)
            ? [warning(NAME, `witness ${name} was left behind`, 'Start a new one under a new name.')]
            : [broken(NAME, view.said, 'docs/operations/control-plane-backup.md')];
        }),
      ];
    },
  };
}
