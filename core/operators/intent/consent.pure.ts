import { createHash } from 'node:crypto';
import type { SignedIntent } from './types';

/** What somebody signs to consent to another's request. */
export interface Consent {
  readonly action: 'intent.approve';
  readonly tenant?: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Consent is to one text, and so to this request and no other. */
export function consentTo(request: SignedIntent | undefined, tenant?: string): Consent {
  return {
    action: 'intent.approve',
    ...(tenant === undefined ? {} : { tenant }),
    parameters: { intentSha256: sha256OfIntent(request) },
  };
}

/** Of the text; of nothing for a request that nobody has signed, to which nobody can consent. */
export function sha256OfIntent(request: SignedIntent | undefined): string {
  const text: unknown = request?.intent;
  return createHash('sha256')
    .update(typeof text === 'string' ? text : '')
    .digest('hex');
}
