export { generateOperatorKey } from './operator-key-file';
export { openSigner, type Signer, signerOfAgent, signerOfPem } from './signer';
