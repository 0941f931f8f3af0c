import { type ActivityInterfaceFor, proxyActivities } from '@temporalio/workflow';
import type { DegradationActivities, LevelPublication } from '../activities/types';
import { refusal } from './failures';

/** Nothing else is decided meanwhile: a control plane that is away is not waited for, and whoever asks has to ask again. */
const LIMIT_MS = 5_000;

const { publishLevel }: ActivityInterfaceFor<DegradationActivities> = proxyActivities<DegradationActivities>({
  summary: 'Verify and publish what was set by hand',
  startToCloseTimeout: LIMIT_MS,
  scheduleToCloseTimeout: LIMIT_MS,
  retry: { initialInterval: '250ms', maximumAttempts: 3 },
});

/** Publishes what a person wants, which verifies his signature. @throws the refusal */
export async function publishByHand(publication: LevelPublication, by: string): Promise<void> {
  if (await publishLevel(publication)) return;
  throw refusal(
    'LEVEL_CHANGED',
    `The level of ${publication.scope} was changed meanwhile, and not by ${by}.`,
    'Look at `chronawflow degradation status`, then ask again.',
  );
}
