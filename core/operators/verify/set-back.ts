import type { Pool } from 'pg';
import { lookAtWitness, type WitnessView } from '../../audit';
import { ControlPlaneSetBackError } from '../errors/control-plane-set-back-error';
import { WitnessAwayError } from '../errors/witness-away-error';
import type { OperatorPolicy } from '../policy';
import type { ReAnchor } from '../registry';

export interface Witnessed {
  readonly name: string;
  readonly view: WitnessView;
}

export function askWitnesses(
  platform: Pool,
  { witnesses }: Pick<OperatorPolicy, 'witnesses'>,
): Promise<Witnessed[]> {
  return Promise.all(
    witnesses.map(async (witness) => ({
      name: witness.key.name,
      view: await lookAtWitness(platform, witness),
    })),
  );
}

/**
 * Refuses while a witness has seen what is not there any more, unless a root took note of just that. One witness that
 * agrees is enough, and none that disagrees.
 *
 * @throws ControlPlaneSetBackError, WitnessAwayError
 */
export function refuseIfSetBack(
  witnessed: readonly Witnessed[],
  reAnchors: readonly ReAnchor[],
  whenAway: OperatorPolicy['whenWitnessesAreAway'],
): void {
  const excused = new Map(reAnchors.flatMap(({ witnesses }) => witnesses.map((one) => [one.name, one.seen])));
  // A witness that was left behind guards nothing any more: a new one, under a new name, takes its place.
  const guards = witnessed.filter(
    ({ name, view }) => !(view.kind === 'refuses' && (view.seen ?? 0) <= (excused.get(name) ?? -1)),
  );
  for (const { name, view } of guards) {
    if (view.kind === 'refuses') throw new ControlPlaneSetBackError(name, view.said);
  }
  const away = guards.flatMap(({ view }) => (view.kind === 'away' ? [view] : []));
  const agrees = guards.some(({ view }) => view.kind === 'agrees');
  if (!agrees && away.length > 0 && whenAway === 'refuse') {
    throw new WitnessAwayError(
      guards.map(({ name }) => name),
      away[0]?.cause,
    );
  }
}
