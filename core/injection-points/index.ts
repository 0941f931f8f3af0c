export type { CallEffect, CallFault, DisturbedCall } from './call-fault';
export {
  CALL_PARAMETERS,
  type CallDriver,
  FOLLOW_EVERY_MS,
  type FollowOptions,
  followCallFaults,
} from './follow-call-faults';
export { InjectedError } from './injected-error';
export { callFaults, disturbanceOf, disturbedNow, setCallFaults } from './injection-point';
