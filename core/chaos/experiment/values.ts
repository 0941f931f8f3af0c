import { ActivityFailedError } from '../errors';
import type { ConfigurationValue, Experiment, Provider } from './experiment';
import type { Values } from './substitute.pure';

export interface ExperimentValues {
  /** What `${name}` stands for: the configuration, then the secrets. */
  readonly values: Values;
  /** To be masked wherever they might be shown. */
  readonly secrets: readonly string[];
}

/**
 * Configuration and secrets of an experiment, read now and on this host: secrets never travel with the experiment.
 *
 * @param call runs the provider of a value that is a probe
 * @throws ActivityFailedError for a variable that is not set and has no default
 */
export async function experimentValues(
  experiment: Pick<Experiment, 'configuration' | 'secrets'>,
  env: Readonly<Record<string, string | undefined>>,
  call: (provider: Provider, values: Values) => Promise<unknown>,
): Promise<ExperimentValues> {
  const secrets: Record<string, string> = {};
  for (const group of Object.values(experiment.secrets)) {
    for (const [name, key] of Object.entries(group)) {
      const value = env[key];
      if (value === undefined)
        throw new ActivityFailedError(`secret ${name}`, `the variable ${key} is not set`);
      secrets[name] = value;
    }
  }
  const values: Record<string, unknown> = { ...secrets };
  for (const [name, declared] of Object.entries(experiment.configuration)) {
    values[name] = await configured(name, declared, env, (provider) => call(provider, { ...values }));
  }
  return { values, secrets: Object.values(secrets) };
}

async function configured(
  name: string,
  declared: ConfigurationValue,
  env: Readonly<Record<string, string | undefined>>,
  call: (provider: Provider) => Promise<unknown>,
): Promise<unknown> {
  if (isVariable(declared)) {
    const text = env[declared.key];
    if (text !== undefined) return typed(name, text, declared.env_var_type);
    if (declared.default !== undefined) return declared.default;
    throw new ActivityFailedError(
      `configuration ${name}`,
      `the variable ${declared.key} is not set and there is no default`,
    );
  }
  return isProbe(declared) ? call(declared.provider) : declared;
}

type Variable = {
  readonly type: 'env';
  readonly key: string;
  readonly default?: unknown;
  readonly env_var_type?: string;
};

function isVariable(value: ConfigurationValue): value is ConfigurationValue & Variable {
  return (
    typeof value === 'object' && value !== null && 'type' in value && value.type === 'env' && 'key' in value
  );
}

function isProbe(value: ConfigurationValue): value is ConfigurationValue & { readonly provider: Provider } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    value.type === 'probe' &&
    'provider' in value
  );
}

function typed(name: string, text: string, type = 'str'): unknown {
  switch (type) {
    case 'int':
    case 'float': {
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value))
        throw new ActivityFailedError(`configuration ${name}`, `the variable's value is no number`);
      return type === 'int' ? Math.trunc(value) : value;
    }
    case 'bool':
      return /^(true|1|yes|on)$/i.test(text);
    case 'json':
      try {
        return JSON.parse(text);
      } catch (cause) {
        throw new ActivityFailedError(`configuration ${name}`, `the variable's value is no JSON`, cause);
      }
    default:
      return text;
  }
}
