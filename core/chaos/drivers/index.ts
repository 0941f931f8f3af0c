export type { AnyDriver, RawCall, TargetKind, TargetOf } from './driver';
export { FaultDrivers } from './fault-drivers';
export { hostDrivers } from './host-drivers';
export type { QueueFlooding } from './temporal/queue-flood';
