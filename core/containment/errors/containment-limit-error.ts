import { ChronawflowError } from '../../errors';

/** A rule may not contain more tenants by itself: a person has to decide. */
export class ContainmentLimitError extends ChronawflowError {
  readonly code = 'CONTAINMENT_LIMIT';
  override readonly kind = 'refused';

  constructor(limits: {
    readonly active: number;
    readonly most: number;
    readonly lastHour: number;
    readonly mostPerHour: number;
  }) {
    super(
      `${limits.active} containments by rule are active (at most ${limits.most}) and ${limits.lastHour} began in the last hour ` +
        `(at most ${limits.mostPerHour}): another one is for a person to decide.`,
      {
        hint: 'Look at `chronawflow contain list`: many noisy tenants at once are rarely the cause. Contain by hand with `chronawflow contain tenant`.',
        details: limits,
      },
    );
  }
}
