import { z } from 'zod';
import { connection } from './connection';

/** The controllers' process: `chronawflow worker --control`. */
export const controlConfig = z.strictObject({
  /** As whom it connects to the control plane; the role of `platform.database` unless given. */
  database: connection.optional(),
});
