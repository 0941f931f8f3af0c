import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config';
import { OutboxForwarder } from '../core/audit';
import { createPool } from '../database';

/** Brings audit events from the application's database to the control plane, for as long as the worker runs. */
export function auditOutbox(config: Config, platform: Pool, log: Logger) {
  const application = createPool(config.application.database, {
    applicationName: 'chronawflow audit',
    max: 1,
  });
  const forwarder = new OutboxForwarder(application, platform, log);
  return {
    start: () => forwarder.start(),
    close: async () => {
      await forwarder.stop();
      await application.end();
    },
  };
}
