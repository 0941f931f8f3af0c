import { InvalidInputError } from '../core/errors';
import { consentTo, parseIntent, type SignedIntent, sha256OfIntent } from '../core/operators';
import type { Act, OperatorSigning, Wanted } from './operator-signing';

/** What somebody has signed, and what others have signed to consent to it. */
export interface SignedRequest {
  readonly intent: SignedIntent;
  readonly approvals?: readonly SignedIntent[];
}

/** Of an act that has a transaction in the control plane. */
export type AuthorizedAct = Act;

/** Acts of one person that others have to consent to, where the policy of operators says so (`operators.fourEyes.erasure`). */
export class FourEyes {
  constructor(private readonly signing: OperatorSigning) {}

  /** Signs what is wanted, to be shown to others before it is done. @throws InvalidInputError without signed operators */
  async request(wanted: Wanted): Promise<SignedRequest> {
    const { intent } = await this.signing.sign(wanted, undefined);
    if (intent === undefined) {
      throw new InvalidInputError('Without the section operators nothing is signed.', {
        hint: 'Leave --sign out: it is done at once.',
      });
    }
    return { intent };
  }

  /** Consents to somebody else's request. @throws InvalidInputError when it is none */
  async approve({ intent }: SignedRequest): Promise<SignedIntent> {
    const asked = parseIntent(intent.intent);
    if (asked === undefined) throw new InvalidInputError('This is no signed request.');
    const { intent: approval } = await this.request(consentTo(intent, asked.tenant));
    return approval;
  }

  /**
   * Verified in the transaction that makes the change. The same request again is the same operation, so that one that died can be
   * ended with it.
   */
  async act(
    wanted: Wanted,
    as: string | undefined,
    given?: SignedRequest,
    others?: number,
  ): Promise<AuthorizedAct> {
    const verifier = await this.signing.verifier();
    if (verifier === undefined) return { by: (await this.signing.sign(wanted, as)).by };
    const { intent: signed, approvals = [] } = given ?? (await this.request(wanted));
    return {
      by: parseIntent(signed.intent)?.operator ?? 'unknown',
      authorize: (tx) =>
        verifier.verify(tx, {
          signed,
          expected: wanted,
          approvals: {
            signed: approvals,
            expected: consentTo(signed, wanted.tenant),
            needed: others ?? verifier.policy.fourEyes.erasure,
          },
          owner: `${wanted.action}/${sha256OfIntent(signed)}`,
        }),
    };
  }
}
