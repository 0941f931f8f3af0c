export { ACTIONS, type Action, isAction, ROLES, type Role } from './actions.pure';
export { missingApprovals } from './approvals.pure';
export { checkIntent, type Expected, type GoodIntent, type IntentRefusal } from './check-intent.pure';
export { type Consent, consentTo, sha256OfIntent } from './consent.pure';
export { type Intent, parseIntent, type SignedIntent, signedIntentSchema } from './intent.pure';
export { signIntent } from './sign-intent';
