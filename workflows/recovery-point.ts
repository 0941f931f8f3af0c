import type { RecoveryPointInput, RecoveryPointRecord } from '../core/recovery/types';
import { OperationBoard } from './operation-board';
import { long, quick } from './steps';

/** Makes a backup or a named restore point and records it; what schedules start at their times. */
export async function recoveryPoint(input: RecoveryPointInput): Promise<RecoveryPointRecord> {
  const board = new OperationBoard('recovery-point');
  const prepared = await quick('Check the request').prepareRecoveryPoint(input);
  const record = await long(
    `Create the ${prepared.kind} recovery point ${prepared.name}`,
  ).createRecoveryPoint(prepared);
  board.end('created');
  return record;
}
