import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { type Intent, type SignedIntent, type Signer, signerOfPem } from '../../core/operators';
import { intentText } from '../../core/operators/intent/intent.pure';
import { emptyRegistry, type Root, type Statement, statementHash } from '../../core/operators/registry';

/** A fresh key of an operator, in this process's memory. */
export function newSigner(): Signer {
  const { privateKey } = generateKeyPairSync('ed25519');
  return signerOfPem(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

export const NOW = '2026-11-23T10:15:00.000000Z';
export const TOMORROW = '2026-11-24T10:14:00.000000Z';

export async function signed(
  signer: Signer,
  intent: Pick<Intent, 'action' | 'operator' | 'parameters'> & Partial<Intent>,
): Promise<SignedIntent> {
  const text = intentText({
    nonce: randomBytes(16).toString('base64url'),
    issuedAt: NOW,
    expiresAt: TOMORROW,
    ...intent,
  });
  return { intent: text, signature: await signer.sign(text) };
}

/** A chain of statements by one root, for tests of what is made of it. */
export class Chain {
  readonly root = newSigner();
  readonly roots: readonly Root[] = [{ name: 'root', publicKey: this.root.key.text }];
  readonly statements: Statement[] = [];

  get head(): string {
    const last = this.statements.at(-1);
    return last === undefined ? emptyRegistry(this.roots).head : statementHash(last);
  }

  async say(
    action: Intent['action'],
    parameters: Readonly<Record<string, unknown>>,
    by: { readonly name: string; readonly signer: Signer } = { name: 'root', signer: this.root },
    issuedAt = NOW,
  ): Promise<void> {
    const statement = await signed(by.signer, {
      action,
      operator: by.name,
      parameters: { previous: this.head, ...parameters },
      issuedAt,
    });
    this.statements.push({ seq: this.statements.length + 1, ...statement });
  }
}
