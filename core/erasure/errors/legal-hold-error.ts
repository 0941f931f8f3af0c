import { ChronawflowError } from '../../errors';
import type { LegalHold } from '../types';

/** Something that is to be kept for a court or an authority would be erased. */
export class LegalHoldError extends ChronawflowError {
  readonly code = 'LEGAL_HOLD';
  override readonly kind = 'refused';

  constructor({ id, tenant, ofSubject, placedBy, reason, since }: LegalHold) {
    const whom = ofSubject ? 'this person' : `everybody of tenant ${tenant}`;
    super(
      `Nothing was erased: legal hold ${id} of ${since.slice(0, 10)}, placed by ${placedBy}, keeps the data of ${whom} (${reason}).`,
      {
        hint: 'Whoever is responsible for the hold lifts it: `chronawflow audit hold --lift ID`.',
        details: { hold: id, tenant },
      },
    );
  }
}
