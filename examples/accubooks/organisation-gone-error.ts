import { ChronawflowError } from '../../core/errors';

/** The organisation that should be written to has no row any more, or a row it needs is gone with it. */
export class OrganisationGoneError extends ChronawflowError {
  readonly code = 'ORGANISATION_GONE';

  constructor(organisationId: string) {
    super(`organisation ${organisationId} does not exist`, {
      hint: 'Restore the organisation, or stop what writes to it.',
      details: { organisationId },
    });
  }
}
