import type { PublishedLevel } from './published-level';
import { DATABASE } from './read-only.pure';
import type { LevelState } from './types';
import { MOST_VERSIONS_LEFT_OUT } from './versions.pure';

/**
 * Whether a controller remembers what nobody has published, where operators sign: there what a person sets is published before
 * the controller takes it, and so it has nothing by hand that does not stand. Its own decisions may be on their way.
 */
export function strays(
  state: LevelState,
  standing: Pick<PublishedLevel, 'version' | 'rank' | 'override' | 'readOnly'>,
): boolean {
  const { version, override, readOnly } = state;
  if (version < standing.version || version > standing.version + MOST_VERSIONS_LEFT_OUT) return true;
  if (override !== undefined && override.until !== standing.override?.until) return true;
  const byHand = readOnly !== undefined && readOnly.by !== DATABASE;
  return byHand && readOnly.until !== standing.readOnly?.until;
}
