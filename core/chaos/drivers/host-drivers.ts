import type { Config } from '../../../config';
import { callDrivers } from './calls/call-drivers';
import { FaultDrivers } from './fault-drivers';

/** Every fault that a host with this configuration knows. */
export function hostDrivers({ control, platform }: Pick<Config, 'control' | 'platform'>): FaultDrivers {
  return new FaultDrivers(callDrivers(control.database ?? platform.database));
}
