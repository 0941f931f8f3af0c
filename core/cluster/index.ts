export {
  type DetachedStatus,
  detachedStatus,
  startDetached,
  stopDetached,
} from './detached-process';
export { findPostgresBin, OLDEST_POSTGRES, type PostgresBin } from './find-postgres';
export {
  findPgBackRest,
  findTemporalCli,
  findToxiproxy,
  isExecutable,
  TEMPORAL_CLI_VERSION,
  temporalCachePath,
} from './find-program';
export { freePort, freePorts, isPortFree } from './free-port';
export { type InitOptions, initServer } from './init-server';
export { processIdentity } from './process-identity';
export { withProcessLock } from './process-lock';
export { ProcessLockHeldError } from './process-lock-held-error';
export { type ProgramOutput, type RunOptions, runProgram } from './run-program';
export { closedParent, makeServerDirectory } from './server-directory';
export { ServerDirectoryUnreachableError } from './server-directory-unreachable-error';
export { ServerStartFailedError } from './server-start-failed-error';
export { type ServerStatus, serverStatus } from './server-status';
export { ServerStopFailedError } from './server-stop-failed-error';
export { runsAsRoot, type ServerUser, serverUser } from './server-user';
export type { DetachedOptions } from './spawn-recorded';
export { type RunningServer, type StartOptions, startServer } from './start-server';
export { type StopOptions, stopServer } from './stop-server';
