import type { Config, OperatorsConfig } from '../../config';
import { readVerifierKey, type WitnessAddress } from '../audit';
import { InvalidInputError } from '../errors';
import type { Root } from './registry';
import { parsePublicKey } from './ssh';

/** What the configuration says of operators, read and checked. */
export interface OperatorPolicy {
  readonly roots: readonly Root[];
  readonly intentLifetimeMs: number;
  readonly fourEyes: OperatorsConfig['fourEyes'];
  readonly witnesses: readonly WitnessAddress[];
  readonly whenWitnessesAreAway: OperatorsConfig['whenWitnessesAreAway'];
}

/** Undefined without the section `operators`. @throws InvalidInputError, NoteInvalidError for keys that are none */
export async function operatorPolicy(
  config: Pick<Config, 'operators' | 'audit'>,
): Promise<OperatorPolicy | undefined> {
  const { operators, audit } = config;
  if (operators === undefined) return undefined;
  const roots = Object.entries(operators.administrators).map(([name, key]) => ({
    name,
    publicKey: parsePublicKey(key).text,
  }));
  if (new Set(roots.map(({ publicKey }) => publicKey)).size < roots.length)
    throw new InvalidInputError('operators.administrators: two names have the same key.');
  const witnesses = await Promise.all(
    audit.witnesses.map(async ({ url, publicKey }) => ({ url, key: await readVerifierKey(publicKey) })),
  );
  return {
    roots,
    intentLifetimeMs: operators.intentLifetime,
    fourEyes: operators.fourEyes,
    witnesses,
    whenWitnessesAreAway: operators.whenWitnessesAreAway,
  };
}
