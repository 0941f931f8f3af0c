import type { Chronawflow } from '../../../client';
import type { Grant, Signer } from '../../../core/operators';
import { SigningPeople } from '../../support/signing-people';
import { type Ground, Scene } from './workflow-run';

export const CANARY = 'canary-of-the-platform';

/** A deployment whose operators sign, with its root; its other operators are added by name. */
export class SignedScene extends Scene {
  private readonly people: SigningPeople;

  constructor(
    ground: Ground,
    people: Readonly<Record<string, readonly Grant[]>>,
    fourEyes: Readonly<Record<string, number>> = { restore: 1 },
    recovery: Readonly<Record<string, unknown>> = {},
  ) {
    super(ground, recovery);
    this.people = new SigningPeople(people);
    this.operators = this.people.section(fourEyes);
    this.engine.application = ground.platform;
  }

  /** A password that nobody asks for, to be looked for where it must not be. */
  override get rawConfig(): Readonly<Record<string, unknown>> {
    const { platform, ...rest } = super.rawConfig;
    return { ...rest, platform: { database: { ...databaseOf(platform), password: CANARY } } };
  }

  /** Starts the worker, and has the root add everybody. */
  async begin(): Promise<void> {
    await this.people.join(this.config);
    await this.startWorker();
  }

  signer(name: string): Signer {
    return this.people.signer(name);
  }

  /** The SDK in somebody's hands. */
  as(who: string | Signer): Promise<Chronawflow> {
    return this.people.as(who, this.config);
  }

  async end(): Promise<void> {
    await this.people.leave();
    await this.stopWorker();
  }
}

function databaseOf(platform: unknown): object {
  const database: unknown = Reflect.get(Object(platform), 'database');
  return Object(database);
}
