import { Chronawflow } from '../../../client';
import type { Grant, Signer } from '../../../core/operators';
import { newSigner } from '../../support/operators';
import { type Ground, Scene } from './workflow-run';

export const CANARY = 'canary-of-the-platform';

/** A deployment whose operators sign, with its root; its other operators are added by name. */
export class SignedScene extends Scene {
  readonly root = newSigner();
  private readonly open: Chronawflow[] = [];

  constructor(
    ground: Ground,
    private readonly people: Readonly<Record<string, readonly Grant[]>>,
    fourEyes: Readonly<Record<string, number>> = { restore: 1 },
    recovery: Readonly<Record<string, unknown>> = {},
  ) {
    super(ground, recovery);
    this.operators = { administrators: { root: this.root.key.text }, fourEyes };
    this.engine.application = ground.platform;
  }

  /** A password that nobody asks for, to be looked for where it must not be. */
  override get rawConfig(): Readonly<Record<string, unknown>> {
    const { platform, ...rest } = super.rawConfig;
    return { ...rest, platform: { database: { ...databaseOf(platform), password: CANARY } } };
  }

  readonly signers = new Map<string, Signer>();

  /** Starts the worker, and has the root add everybody. */
  async begin(): Promise<void> {
    const root = await this.as(this.root);
    for (const [name, grants] of Object.entries(this.people)) {
      const signer = newSigner();
      this.signers.set(name, signer);
      await root.operators.add({ name, publicKey: signer.key.text, grants });
    }
    await this.startWorker();
  }

  signer(name: string): Signer {
    const signer = name === 'root' ? this.root : this.signers.get(name);
    if (signer === undefined) throw new RangeError(`${name} is nobody here`);
    return signer;
  }

  /** The SDK in somebody's hands. */
  async as(who: string | Signer): Promise<Chronawflow> {
    const signer = typeof who === 'string' ? this.signer(who) : who;
    const cf = await Chronawflow.connect({ config: this.config, signer });
    this.open.push(cf);
    return cf;
  }

  async end(): Promise<void> {
    await Promise.all(this.open.map((cf) => cf.close()));
    await this.stopWorker();
  }
}

function databaseOf(platform: unknown): object {
  const database: unknown = Reflect.get(Object(platform), 'database');
  return Object(database);
}
