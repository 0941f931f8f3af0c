export { Guard } from './guard';
export { GUARDS, type GuardName, isGuardAlive, readGuard } from './guard-record';
export { closeEnded } from './reconcile';
export { type ChaosPrograms, chaosPrograms, guardsFor, keepGuard, startApart } from './start-guards';
export { stopGuards } from './stop-guards';
