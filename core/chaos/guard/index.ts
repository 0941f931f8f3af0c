export { Guard, type GuardName, readGuard } from './guard';
export { type ChaosPrograms, chaosPrograms, guardsFor, startApart, startGuard } from './start-guards';
