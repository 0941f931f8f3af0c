export { signWithAgent } from './ssh-agent';
export { keyObjectOf, parsePublicKey, publicKeyOf, type SshPublicKey } from './ssh-public-key.pure';
export { formatSignature, NAMESPACE, signedBytes, signerOf, withoutArmour } from './ssh-signature.pure';
