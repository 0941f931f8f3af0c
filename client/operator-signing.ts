import { randomUUID } from 'node:crypto';
import type { ClientBase, Pool } from 'pg';
import type { Config } from '../config';
import {
  type Action,
  IntentVerifier,
  openSigner,
  operatorPolicy,
  type SignedIntent,
  type Signer,
  SignerUnavailableError,
  signIntent,
} from '../core/operators';
import { currentOperator } from './operator';

/** What somebody wants done. */
export interface Wanted {
  readonly action: Action;
  readonly tenant?: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Who acts: by the key that signs, or without signed operators by the name that is given. */
export interface Act {
  readonly by: string;
  readonly authorize?: (tx: ClientBase) => Promise<unknown>;
}

/** Signs what this process asks for, where the configuration has signed operators. */
export class OperatorSigning {
  private opened: Promise<Signer> | undefined;
  private verifying: Promise<IntentVerifier | undefined> | undefined;

  constructor(
    private readonly config: Config,
    private readonly platform: Pool,
    private readonly given: Signer | undefined,
  ) {}

  /** Whether people are who they have a key of. */
  get on(): boolean {
    return this.config.operators !== undefined;
  }

  /** Undefined without the section `operators`. */
  verifier(): Promise<IntentVerifier | undefined> {
    this.verifying ??= operatorPolicy(this.config).then(
      (policy) => policy && new IntentVerifier(this.platform, policy),
    );
    return this.verifying;
  }

  /** @throws SignerUnavailableError */
  signer(): Promise<Signer> {
    if (this.given !== undefined) return Promise.resolve(this.given);
    const file = process.env.CHRONAWFLOW_OPERATOR_KEY?.trim();
    if (file === undefined || file === '') {
      throw new SignerUnavailableError('no key is named', {
        hint: 'Name the file of your key in CHRONAWFLOW_OPERATOR_KEY: one of `chronawflow operators keygen`, an OpenSSH key, or the .pub of one in ssh-agent.',
      });
    }
    this.opened ??= openSigner(file);
    return this.opened;
  }

  /** The name that the registry has for the key. @throws SignerUnavailableError, RegistryDamagedError */
  async name(): Promise<string> {
    const [signer, verifier] = [await this.signer(), await this.verifier()];
    for (const operator of (await verifier?.registry())?.operators.values() ?? [])
      if (operator.keys.some((key) => key.publicKey === signer.key.text)) return operator.name;
    throw new SignerUnavailableError(`the key ${signer.key.fingerprint} is no operator’s`, {
      hint: `An administrator adds it: chronawflow operators add <name> --key "${signer.key.text}" --role …`,
    });
  }

  /** Who acts, with the intent where operators sign. `as` is the name without a key. */
  async sign(
    wanted: Wanted,
    as: string | undefined,
  ): Promise<{ readonly by: string; readonly intent?: SignedIntent }> {
    const { operators } = this.config;
    if (operators === undefined) return { by: as ?? currentOperator() };
    const by = await this.name();
    if (as !== undefined && as !== by && as !== currentOperator()) {
      throw new SignerUnavailableError(`the key is ${by}’s, and not ${as}’s`, {
        hint: 'Everybody acts in his own name: leave out --as.',
      });
    }
    const intent = { operator: by, ...wanted };
    return {
      by,
      intent: await signIntent(this.platform, await this.signer(), intent, operators.intentLifetime),
    };
  }

  /**
   * Makes a change in the application's database from here. The intent is verified in the change's transaction; several
   * changes of one intent, such as of all jobs of a filter, are one operation.
   */
  async act<T>(wanted: Wanted, as: string | undefined, work: (act: Act) => Promise<T>): Promise<T> {
    const { by, intent } = await this.sign(wanted, as);
    const verifier = await this.verifier();
    if (verifier === undefined) return work({ by });
    const owner = `client/${randomUUID()}`;
    return verifier.during((admit) =>
      work({ by, authorize: (tx) => admit(tx, { signed: intent, expected: wanted, owner }) }),
    );
  }
}
