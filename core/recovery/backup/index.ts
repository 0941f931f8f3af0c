export type { BackupKind, BackupSummary } from './provider';
export {
  createRecoveryPoint,
  listRecoveryPoints,
  type NewRecoveryPoint,
  type RecoveryPoint,
  type RecoveryPointKind,
} from './recovery-point';
export { type RestorableWindow, restorableWindow, type WindowGap } from './restorable-window';
export { verifyBackup } from './verify-backup';
