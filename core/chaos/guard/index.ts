export { Guard, type GuardName, readGuard } from './guard';
export { closeEnded } from './reconcile';
export { type ChaosPrograms, chaosPrograms, guardsFor, startApart, startGuard } from './start-guards';
export { stopGuards } from './stop-guards';
