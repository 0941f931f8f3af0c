import type { Config } from '../../../config';
import { callDrivers } from './calls/call-drivers';
import { FaultDrivers } from './fault-drivers';
import { type QueueFlooding, queueFlood } from './temporal/queue-flood';

/** Every fault that a host with this configuration knows. */
export function hostDrivers(
  { control, platform }: Pick<Config, 'control' | 'platform'>,
  flooding: QueueFlooding,
): FaultDrivers {
  return new FaultDrivers([...callDrivers(control.database ?? platform.database), queueFlood(flooding)]);
}
