import { Chronawflow } from '../../client';
import type { Config } from '../../config';
import { type Action, type Grant, type SignedIntent, type Signer, signIntent } from '../../core/operators';
import { newSigner } from './operators';

/** The operators of a deployment, with their keys in this process; `root` is the one that its configuration names. */
export class SigningPeople {
  readonly root = newSigner();
  private readonly signers = new Map<string, Signer>();
  private readonly open: Chronawflow[] = [];

  constructor(private readonly grants: Readonly<Record<string, readonly Grant[]>>) {}

  /** Section `operators` of their deployment. */
  section(fourEyes: Readonly<Record<string, number>> = {}) {
    return { administrators: { root: this.root.key.text }, fourEyes };
  }

  /** Has the root add everybody. */
  async join(config: Config): Promise<void> {
    const root = await this.as(this.root, config);
    for (const [name, grants] of Object.entries(this.grants)) {
      const signer = newSigner();
      this.signers.set(name, signer);
      await root.operators.add({ name, publicKey: signer.key.text, grants });
    }
  }

  signer(name: string): Signer {
    const signer = name === 'root' ? this.root : this.signers.get(name);
    if (signer === undefined) throw new RangeError(`${name} is nobody here`);
    return signer;
  }

  /** The SDK in somebody's hands. */
  async as(who: string | Signer, config: Config): Promise<Chronawflow> {
    const signer = typeof who === 'string' ? this.signer(who) : who;
    const cf = await Chronawflow.connect({ config, signer });
    this.open.push(cf);
    return cf;
  }

  /** What somebody signs by himself, without the SDK. */
  sign(
    platform: Parameters<typeof signIntent>[0],
    name: string,
    wanted: {
      readonly action: Action;
      readonly tenant?: string;
      readonly parameters: Readonly<Record<string, unknown>>;
    },
    lifetimeMs = 3_600_000,
  ): Promise<SignedIntent> {
    return signIntent(platform, this.signer(name), { ...wanted, operator: name }, lifetimeMs);
  }

  async leave(): Promise<void> {
    await Promise.all(this.open.splice(0).map((cf) => cf.close()));
  }
}
