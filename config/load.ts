import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { closest } from 'fastest-levenshtein';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { anchorChaos, mapTargets } from './chaos';
import { ConfigInvalidError } from './config-invalid-error';
import { anchorTls, readSecret, withFiles } from './connection-files';
import { type Config, configSchema } from './schema';

export interface LoadOptions {
  /** Default `chronawflow.yaml` in the working directory, or `CHRONAWFLOW_CONFIG`. */
  readonly configFile?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Reads, interpolates and validates the configuration file. Relative paths in it are relative to the file. */
export function loadConfig(options: LoadOptions = {}): Config {
  const env = options.env ?? process.env;
  const file = resolve(options.configFile ?? (env.CHRONAWFLOW_CONFIG || 'chronawflow.yaml'));
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigInvalidError(file, ['the file cannot be read'], {
      cause,
      hint: 'Name it with --config or CHRONAWFLOW_CONFIG, or run `chronawflow up` to get a local stack with one.',
    });
  }
  return parseConfig(text, { file, env });
}

/** The same from text; `file` names it in errors and anchors relative paths. */
export function parseConfig(
  text: string,
  source: { readonly file: string; readonly env: Readonly<Record<string, string | undefined>> },
): Config {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { prettyErrors: true, lineCounter });
  if (document.errors.length > 0)
    throw new ConfigInvalidError(
      source.file,
      document.errors.map((e) => e.message.split('\n')[0] ?? ''),
    );
  const problems: string[] = [];
  const raw = interpolate(document.toJS(), source.env, problems);
  if (problems.length > 0) throw new ConfigInvalidError(source.file, problems);
  const parsed = configSchema.safeParse(raw ?? {});
  if (!parsed.success) {
    const lineOf = lineFinder(document, lineCounter);
    const issues = parsed.error.issues.map((issue) => describeIssue(issue, lineOf));
    throw new ConfigInvalidError(source.file, issues);
  }
  return anchorPaths(readSecretFiles(parsed.data, source.file), dirname(source.file));
}

/** Replaces `${NAME}` in every string; a variable that is not set is a problem, never an empty string. */
function interpolate(
  value: unknown,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
      const found = env[name];
      if (found === undefined) problems.push(`the environment variable ${name} is not set`);
      return found ?? '';
    });
  }
  if (Array.isArray(value)) return value.map((item) => interpolate(item, env, problems));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, interpolate(item, env, problems)]),
    );
  }
  return value;
}

/** The line of what is at a path, or of the nearest thing around it that is in the file. */
function lineFinder(document: Document, lines: LineCounter) {
  return (path: readonly PropertyKey[]): string => {
    for (let length = path.length; length > 0; length -= 1) {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return ` (line ${lines.linePos(node.range[0]).line})`;
    }
    return '';
  };
}

function describeIssue(issue: z.core.$ZodIssue, lineOf: (path: readonly PropertyKey[]) => string): string {
  const at = issue.path.map(String).join('.') || 'the file';
  if (issue.code !== 'unrecognized_keys') return `${at}: ${issue.message}${lineOf(issue.path)}`;
  const known = knownKeysAt(issue.path);
  return issue.keys
    .map(
      (key) =>
        `${at}: unknown key '${key}'${known.length > 0 ? `; did you mean '${closest(key, known)}'?` : ''}${lineOf([...issue.path, key])}`,
    )
    .join('\n');
}

/** The keys that the schema knows at a path, for the hint about a misspelt one. */
function knownKeysAt(path: readonly PropertyKey[]): string[] {
  let node: unknown = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
  for (const part of path) node = childOf(node, String(part));
  return Object.keys(property(node, 'properties') ?? {});
}

function childOf(node: unknown, key: string): unknown {
  const properties = property(node, 'properties');
  return property(properties, key) ?? property(node, 'additionalProperties');
}

function property(node: unknown, key: string): object | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  const value: unknown = Reflect.get(node, key);
  return typeof value === 'object' && value !== null ? value : undefined;
}

function readSecretFiles(config: Config, file: string): Config {
  const { apiKeyFile, tls } = config.temporal;
  return {
    ...config,
    temporal: {
      ...config.temporal,
      tls: anchorTls(file, tls),
      ...(apiKeyFile === undefined ? {} : { apiKey: readSecret(file, apiKeyFile, 'temporal.apiKeyFile') }),
    },
    platform: {
      database: withFiles(file, config.platform.database, 'platform.database'),
      directDatabase:
        config.platform.directDatabase &&
        withFiles(file, config.platform.directDatabase, 'platform.directDatabase'),
    },
    application: {
      ...config.application,
      database: withFiles(file, config.application.database, 'application.database'),
    },
    audit: {
      ...config.audit,
      ...(config.audit.database && { database: withFiles(file, config.audit.database, 'audit.database') }),
      ...(config.audit.retention && {
        retention: {
          ...config.audit.retention,
          database: withFiles(file, config.audit.retention.database, 'audit.retention.database'),
        },
      }),
    },
    control: {
      ...(config.control.database && {
        database: withFiles(file, config.control.database, 'control.database'),
      }),
    },
    chaos:
      config.chaos &&
      mapTargets(config.chaos, (target, name) =>
        target.kind === 'postgres'
          ? { ...target, database: withFiles(file, target.database, `chaos.targets.${name}.database`) }
          : target,
      ),
  };
}

function anchorPaths(config: Config, directory: string): Config {
  const anchor = (path: string) => (isAbsolute(path) ? path : resolve(directory, path));
  const { backup } = config.application;
  return {
    ...config,
    application: {
      ...config.application,
      backup: {
        ...backup,
        configFile: anchor(backup.configFile),
        scratchDirectory: anchor(backup.scratchDirectory),
        postgresBin: backup.postgresBin === undefined ? undefined : anchor(backup.postgresBin),
      },
    },
    jobs: { ...config.jobs, modules: config.jobs.modules.map(anchor) },
    chaos: config.chaos && anchorChaos(config.chaos, anchor),
    audit: {
      ...config.audit,
      ...(config.audit.keyFile && { keyFile: anchor(config.audit.keyFile) }),
      ...(config.audit.formerKeyFile && { formerKeyFile: anchor(config.audit.formerKeyFile) }),
      ...(config.audit.quantumSafeKeyFile && { quantumSafeKeyFile: anchor(config.audit.quantumSafeKeyFile) }),
    },
    payloads: config.payloads && {
      ...config.payloads,
      keyEncryptionKeys: config.payloads.keyEncryptionKeys.map((key) =>
        'file' in key ? { ...key, file: anchor(key.file) } : key,
      ),
    },
  };
}
