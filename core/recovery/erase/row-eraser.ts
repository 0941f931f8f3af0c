import type { Pool } from 'pg';
import type { RowEraser } from '../../erasure';
import { RestoreInProgressError } from '../errors/restore-in-progress-error';
import { findActiveRecord } from '../record/restore-record';
import { type ErasureScope, eraseRows } from './erase-rows';

/** The side of an erasure that knows whose rows are whose, and what restores keep of them. */
export function rowEraser(application: Pool, scope: ErasureScope): RowEraser {
  return {
    requireIdle: async (tenant) => {
      const running = await findActiveRecord(application, tenant);
      if (running !== undefined) throw new RestoreInProgressError(tenant, running);
    },
    eraseRows: (found) => eraseRows(application, scope, found),
  };
}
