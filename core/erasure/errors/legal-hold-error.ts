import { ChronawflowError } from '../../errors';
import type { LegalHold } from '../types';

/** Something that is to be kept for a court or an authority would be erased. */
export class LegalHoldError extends ChronawflowError {
  readonly code = 'LEGAL_HOLD';
  override readonly kind = 'refused';

  /** @param what would have become of the data: erased, or dropped with the audit log's oldest events */
  constructor(
    { id, tenant, ofSubject, placedBy, reason, since }: LegalHold,
    what: 'erased' | 'dropped' = 'erased',
  ) {
    const person = what === 'erased' ? 'this person' : `a person of tenant ${tenant}`;
    const whom = ofSubject ? person : `everybody of tenant ${tenant}`;
    super(
      `Nothing was ${what}: legal hold ${id} of ${since.slice(0, 10)}, placed by ${placedBy}, keeps the data of ${whom} (${reason}).`,
      {
        hint: 'Whoever is responsible for the hold lifts it: `chronawflow audit hold --lift ID`.',
        details: { hold: id, tenant },
      },
    );
  }
}
