export { verifyBackup } from './verify-backup';
