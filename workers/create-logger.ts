import pino, { type Logger } from 'pino';

/** JSON lines on standard output, or lines for people on standard error; the level is `CHRONAWFLOW_LOG_LEVEL`. */
export function createLogger(kind: 'worker' | 'sealer', pretty: boolean): Logger {
  return pino({
    name: `chronawflow-${kind}`,
    level: process.env.CHRONAWFLOW_LOG_LEVEL ?? 'info',
    ...(pretty ? { transport: { target: 'pino-pretty', options: { destination: 2 } } } : {}),
  });
}
