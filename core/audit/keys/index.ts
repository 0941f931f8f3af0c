export { readSigningKey, readVerifierKey, readVerifierKeys, writeSigningKey } from './key-files';
