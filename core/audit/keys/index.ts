export { readSigningKey, readVerifierKey, writeSigningKey } from './key-files';
