import { Metrics } from './metrics';

/** The process's metrics, unless an instance is given others. */
export const sharedMetrics = new Metrics();
