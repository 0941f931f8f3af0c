export { type Blocker, describeBlocker } from './blocker.pure';
export { findBypasses, type GateBypass } from './find-bypasses';
export { freezeTenant } from './freeze-tenant';
export { TENANT_FROZEN_SQLSTATE } from './gate-function.pure';
export { extendGate, gateState, openGate } from './gate-row';
export { type LookupCost, measureLookupCost } from './measure-lookup-cost';
export { type GateRemoval, removeGate } from './remove-gate';
export { type SweptGate, sweepGates } from './sweep-gates';
export type { FreezeSpec, GateCondition, GateState, GateTable, LockLimits } from './types';
