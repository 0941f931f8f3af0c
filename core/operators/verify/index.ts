export { type Admit, type Demand, IntentVerifier, type Verified } from './intent-verifier';
export { askWitnesses, refuseIfSetBack, type Witnessed } from './set-back';
