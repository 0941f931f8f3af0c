import pino, { type Logger } from 'pino';

/** The long-lived processes. */
export type ProcessKind = 'worker' | 'control' | 'sealer' | 'reaper' | 'chaos';

/** JSON lines on standard output, or lines for people on standard error; the level is `CHRONAWFLOW_LOG_LEVEL`. */
export function createLogger(kind: ProcessKind, pretty: boolean): Logger {
  return pino({
    name: `chronawflow-${kind}`,
    level: process.env.CHRONAWFLOW_LOG_LEVEL ?? 'info',
    ...(pretty ? { transport: { target: 'pino-pretty', options: { destination: 2 } } } : {}),
  });
}
