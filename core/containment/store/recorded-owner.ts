import { canonicalJson } from '../../canonical-json';
import { InvalidInputError } from '../../errors';
import type { Owner } from '../apply-part';
import type { ContainmentContext } from '../context';
import type { ContainmentPart } from '../types';
import { readContainment, readParts } from './read-containments';

/**
 * Whose an effect is by what was written down when its containment was verified, for a step whose input may come from anybody.
 *
 * @throws ContainmentNotFoundError, InvalidInputError for a part that is not its own, or when its time is over
 */
export async function recordedOwner(
  { platform, config }: Pick<ContainmentContext, 'platform' | 'config'>,
  id: string,
  part: ContainmentPart,
): Promise<Owner & { readonly requestedBy: string }> {
  const { state, reason, stopsCore, requestedBy } = await readContainment(platform, id);
  const parts = await readParts(platform, id);
  const known = parts.some((one) => canonicalJson(one.part) === canonicalJson(part));
  const { rows } = await platform.query<{ left: number }>(
    `select (extract(epoch from ends_at - clock_timestamp()) * 1000)::float8 as left
     from chronawflow.containment where id = $1`,
    [id],
  );
  const left = rows[0]?.left ?? 0;
  if (!known || state === 'ended' || left <= 0)
    throw new InvalidInputError(`Containment ${id} has no such part now.`, {
      hint: 'Parts are written down when a containment begins; `chronawflow contain list --all`.',
    });
  return { id, reason, stopsCore, requestedBy, leaseMs: Math.min(config.containment.lease, left) };
}
