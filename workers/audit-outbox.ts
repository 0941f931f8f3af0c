import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config';
import { OutboxForwarder, RefusedAttempts } from '../core/audit';
import { createPool } from '../database';

/** Brings audit events from the application's database, and refusals from the server's log, to the audit log. */
export function auditOutbox(config: Config, platform: Pool, log: Logger) {
  const application = createPool(config.application.database, {
    applicationName: 'chronawflow audit',
    max: 1,
  });
  const forwarder = new OutboxForwarder(application, platform, log);
  const refused = new RefusedAttempts(platform, {
    onError: (error) => log.warn({ err: error }, 'refused attempts at the audit log could not be read'),
  });
  return {
    start: () => {
      forwarder.start();
      refused.start();
    },
    close: async () => {
      await refused.close();
      await forwarder.stop();
      await application.end();
    },
  };
}
