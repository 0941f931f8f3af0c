import { ChronawflowError } from '../../errors';

/** The target exists on more than one timeline: the cluster was promoted or restored, and both branches have it. */
export class TargetTimelineAmbiguousError extends ChronawflowError {
  readonly code = 'TARGET_TIMELINE_AMBIGUOUS';
  override readonly kind = 'usage';

  constructor(target: string, timelines: readonly number[]) {
    super(`the target ${target} exists on timelines ${timelines.join(' and ')}, with different content`, {
      hint: `Say which one is meant: --timeline ${timelines.join(' or --timeline ')}.`,
      details: { target, timelines },
    });
  }
}
