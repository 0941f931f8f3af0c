import type { RestorePreview } from '../../../core/recovery/types';
import { count } from './format';

/** What does not come back because it was erased after the target. */
export function erasedLine(preview: RestorePreview | undefined): string[] {
  if (preview?.erasedAgain === undefined) return [];
  const { erasures, rows } = preview.erasedAgain;
  return [
    `${count(erasures)} ${erasures === 1 ? 'erasure' : 'erasures'} after the target applied again: ${count(rows)} ${rows === 1 ? 'row does' : 'rows do'} not come back as they were.`,
  ];
}
