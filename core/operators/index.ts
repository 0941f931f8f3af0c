export { ControlPlaneSetBackError } from './errors/control-plane-set-back-error';
export { IntentRefusedError } from './errors/intent-refused-error';
export { RegistryDamagedError } from './errors/registry-damaged-error';
export { SignerUnavailableError } from './errors/signer-unavailable-error';
export { StatementRefusedError } from './errors/statement-refused-error';
export { WitnessAwayError } from './errors/witness-away-error';
export {
  ACTIONS,
  type Action,
  type Consent,
  consentTo,
  type Expected,
  type GoodIntent,
  type Intent,
  isAction,
  parseIntent,
  ROLES,
  type Role,
  type SignedIntent,
  sha256OfIntent,
  signedIntentSchema,
  signIntent,
} from './intent';
export { generateOperatorKey, openSigner, type Signer, signerOfAgent, signerOfPem } from './keys';
export { type OperatorPolicy, operatorPolicy } from './policy';
export {
  appendStatement,
  type Grant,
  mayDo,
  type Operator,
  type Registry,
  type Root,
  readRegistry,
} from './registry';
export { parsePublicKey, type SshPublicKey } from './ssh';
export {
  type Admit,
  askWitnesses,
  type Demand,
  IntentVerifier,
  refuseIfSetBack,
  type Verified,
  type Witnessed,
} from './verify';
