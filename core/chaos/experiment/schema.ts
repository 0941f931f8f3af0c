import { compile } from 'json-p3';
import { z } from 'zod';
import { duration } from '../../../config';
import { patternOf } from './pattern.pure';

/**
 * Chaos Toolkit's experiment, as its reference has it (https://chaostoolkit.org/reference/api/experiment/), and what Chronawflow
 * adds under `extensions`. Keys that Chaos Toolkit leaves to others are taken along and mean nothing here.
 */

const text = z.string().min(1);
const seconds = z.union([z.number().min(0), z.string().regex(/\$\{/)]);

const http = z.looseObject({
  type: z.literal('http'),
  url: text,
  method: z.string().optional(),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  arguments: z.union([z.record(z.string(), z.unknown()), z.string()]).nullish(),
  /** Seconds; two of them: to connect, to read. */
  timeout: z.union([seconds, z.tuple([seconds, seconds])]).nullish(),
  verify_tls: z.boolean().optional(),
  max_retries: z.number().int().min(0).max(10).optional(),
});

const program = z.looseObject({
  type: z.literal('process'),
  path: text,
  arguments: z.union([z.string(), z.array(z.unknown()), z.record(z.string(), z.unknown())]).nullish(),
  timeout: seconds.nullish(),
  env: z.record(z.string(), z.string()).optional(),
});

const python = z
  .looseObject({ type: z.literal('python') })
  .refine(
    () => false,
    'a provider `python` is never run: it would execute code that nobody has allowed. Use `http`, `process` from the allow-list, or `faults` of the extension chronawflow',
  );

export const provider = z.discriminatedUnion('type', [http, program, python], {
  error: ({ code, input }) =>
    code === 'invalid_union' ? `unknown provider '${typeOf(input)}'; there are http and process` : undefined,
});

const scalar = z.union([z.boolean(), z.number(), z.string(), z.null()]);
const target = { target: z.string().optional() };

const regexTolerance = z
  .looseObject({ type: z.literal('regex'), pattern: z.string(), ...target })
  .refine(({ pattern }) => pattern.includes('${') || patternOf(pattern) !== undefined, {
    path: ['pattern'],
    message: 'is no regular expression',
  });

const jsonPathTolerance = z
  .looseObject({
    type: z.literal('jsonpath'),
    path: z.string().trim().min(1),
    count: z.number().int().min(0).optional(),
    expect: z.unknown().optional(),
    ...target,
  })
  .refine(({ path }) => path.includes('${') || isJsonPath(path), {
    path: ['path'],
    message: 'is no JSON path (RFC 9535)',
  });

const rangeTolerance = z.looseObject({
  type: z.literal('range'),
  range: z.tuple([z.number(), z.number()]),
  ...target,
});

const activityBase = {
  name: text,
  background: z.boolean().default(false),
  pauses: z.looseObject({ before: seconds.optional(), after: seconds.optional() }).optional(),
};

const probeTolerance = z.looseObject({ type: z.literal('probe'), name: text, provider });

export const tolerance = z.union(
  [
    scalar,
    z.array(scalar),
    z.discriminatedUnion('type', [regexTolerance, jsonPathTolerance, rangeTolerance, probeTolerance]),
  ],
  {
    error: ({ input }) =>
      typeof input === 'object' &&
      input !== null &&
      !['regex', 'jsonpath', 'range', 'probe'].includes(typeOf(input))
        ? `unknown tolerance '${typeOf(input)}'; there are regex, jsonpath, range, probe, a value, or a list`
        : undefined,
  },
);

const probe = z.looseObject({
  ...activityBase,
  type: z.literal('probe'),
  provider,
  tolerance: tolerance.optional(),
});
const action = z.looseObject({ ...activityBase, type: z.literal('action'), provider });
const reference = z.looseObject({ ref: text });

export const activity = z.discriminatedUnion('type', [probe, action], {
  error: ({ input }) => `an activity is a probe or an action, not '${typeOf(input)}'`,
});
const activityOrReference = z.union([reference, activity], {
  // A reference has `ref` and nothing that an activity needs.
  error: (issue) => (isReference(issue.input) ? undefined : 'is neither an activity nor a reference'),
});

const hypothesisProbe = probe.refine((one) => one.tolerance !== undefined, {
  path: ['tolerance'],
  message: 'a probe of the hypothesis needs a tolerance',
});

const hypothesis = z.looseObject({
  title: text,
  probes: z.array(z.union([reference, hypothesisProbe])).default([]),
});

/** A value, `{type: env}`, or the answer of a probe. */
export const configurationValue = z.union([
  scalar,
  z.array(z.unknown()),
  z.looseObject({
    type: z.literal('env'),
    key: text,
    default: z.unknown().optional(),
    env_var_type: z.enum(['str', 'int', 'float', 'bool', 'json']).optional(),
  }),
  z.looseObject({ type: z.literal('probe'), name: text, provider }),
  z.record(z.string(), z.unknown()),
]);

const SECRETS =
  'a secret comes from the environment: {"type": "env", "key": "…"}; what stands in the file would be in every copy of it';

const secretValue = z.looseObject(
  { type: z.literal('env', SECRETS), key: z.string(SECRETS).min(1) },
  SECRETS,
);

const fault = z.strictObject({
  driver: text,
  target: text,
  parameters: z.record(z.string(), z.unknown()).default({}),
  /** Name of a step of the method: injected when it has run, instead of before the method. */
  after: text.optional(),
});

const condition = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('probe'), probe: hypothesisProbe }),
  z.strictObject({
    kind: z.literal('metric'),
    /** Address of a `/metrics` page; allowed like every other. */
    url: text,
    metric: text,
    labels: z.record(z.string(), z.string()).default({}),
    above: z.number().optional(),
    below: z.number().optional(),
  }),
  z.strictObject({ kind: z.literal('degradation-level'), atLeast: z.number().int().min(1) }),
]);

const time = duration.refine((ms) => ms > 0, 'has to be longer than 0');

const load = z.strictObject({
  url: text,
  ratePerSecond: z.number().gt(0).max(500),
  /** Before and after the faults, each. */
  around: time.prefault('5s'),
});

export const extension = z.strictObject({
  name: z.literal('chronawflow'),
  faults: z.array(fault).max(20).default([]),
  /** How long the faults stay when the method has run. */
  duration: time.prefault('10s'),
  /** What has to come true while the faults are there, each at some time; asked once a second when the method has run. */
  during: z.array(hypothesisProbe).max(20).default([]),
  /** The faults stay until `during` has come true, but no longer than this when the method has run. */
  within: time.prefault('30s'),
  /** How long the steady state may take to come back once the faults are gone; asked once a second. */
  recovery: duration.prefault('10s'),
  /** Most of a group's targets, and of the tenants, at once. */
  'blast-radius': z
    .strictObject({
      instances: z.number().gt(0).lte(1).optional(),
      tenants: z.number().gt(0).lte(1).optional(),
    })
    .default({}),
  'abort-conditions': z.array(condition).default([]),
  tenants: z.array(text).optional(),
  load: load.optional(),
});

export const experiment = z.looseObject({
  version: z.string().optional(),
  title: text,
  description: z.string().default(''),
  tags: z.array(z.string()).default([]),
  configuration: z.record(z.string(), configurationValue).default({}),
  secrets: z.record(z.string(), z.record(z.string(), secretValue)).default({}),
  'steady-state-hypothesis': hypothesis.optional(),
  method: z.array(activityOrReference).default([]),
  rollbacks: z.array(activityOrReference).default([]),
  controls: z.array(z.unknown()).max(0, 'controls are Python code and are not run').default([]),
  extensions: z
    .array(
      z.unknown().superRefine((value, ctx) => {
        if (typeOf(value, 'name') !== 'chronawflow') return;
        for (const issue of extension.safeParse(value).error?.issues ?? [])
          ctx.addIssue({ code: 'custom', message: issue.message, path: [...issue.path] });
      }),
    )
    .default([]),
});

function typeOf(input: unknown, key = 'type'): string {
  return typeof input === 'object' && input !== null ? String(Reflect.get(input, key)) : String(input);
}

function isReference(input: unknown): boolean {
  return typeof input === 'object' && input !== null && 'ref' in input;
}

function isJsonPath(path: string): boolean {
  try {
    compile(path);
    return true;
  } catch {
    return false;
  }
}
