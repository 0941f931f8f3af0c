import { z } from 'zod';
import { connection } from './connection';
import { duration } from './duration';

const positive = duration.refine((ms) => ms > 0, 'has to be longer than 0').pipe(z.number().max(86_400_000));
const group = {
  /** Targets of one group are instances of one thing: `maxShare` bounds how many of them are disturbed at once. */
  group: z.string().min(1).optional(),
};

/** How a program of this host is started again; from this file alone, never from a lease. */
const startCommand = z.strictObject({
  program: z.string().min(1),
  args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
});

/** One thing that experiments may disturb. What is not listed here cannot be. */
export const chaosTarget = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('toxiproxy'),
    /** Root of Toxiproxy's HTTP API. */
    url: z.url({ protocol: /^https?$/ }),
    /** Name of the one proxy. */
    proxy: z.string().min(1),
    /** File with Toxiproxy's PID, and how to start it again: used when it hangs or was killed. */
    pidFile: z.string().optional(),
    start: startCommand.optional(),
    ...group,
  }),
  z.strictObject({
    kind: z.literal('process'),
    /** File with the PID: alone in its first line, or a record with `pid` and `identity`. */
    pidFile: z.string().min(1),
    /** Has to be part of the process's command line, or it is another process. */
    command: z.string().min(1),
    start: startCommand.optional(),
    ...group,
  }),
  z.strictObject({
    kind: z.literal('postgres'),
    database: connection,
    /** Tables that may be locked, as `schema.table`. */
    tables: z.array(z.string().regex(/^[^.]+\.[^.]+$/, 'write schema.table')).default([]),
    ...group,
  }),
  z.strictObject({
    kind: z.literal('http'),
    /** Requests have to be below this address. */
    url: z.url({ protocol: /^https?$/ }),
    methods: z
      .array(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']))
      .default(['GET', 'HEAD']),
    ...group,
  }),
  z.strictObject({
    kind: z.literal('program'),
    /** Absolute path of a program that the provider `process` may run. */
    path: z.string().startsWith('/'),
    ...group,
  }),
  z.strictObject({
    kind: z.literal('host'),
    /** Most that pressure may take of this host. */
    maxCpus: z.number().int().min(1).max(1024).default(1),
    maxMemory: z
      .number()
      .int()
      .min(1)
      .default(256 * 1024 * 1024),
    /** Where disk pressure writes. */
    directory: z.string().min(1).optional(),
    ...group,
  }),
  z.strictObject({
    kind: z.literal('scratch-disk'),
    /** Mount point of a file system of its own. */
    path: z.string().min(1),
    ...group,
  }),
  z.strictObject({
    kind: z.literal('backup-repository'),
    /** A repository for tests; never the one that restores rely on. */
    path: z.string().min(1),
    ...group,
  }),
  z.strictObject({
    kind: z.literal('network'),
    /** Network namespace, as `ip netns` names it. */
    namespace: z.string().regex(/^[\w.-]+$/),
    device: z.string().regex(/^[\w.@-]{1,15}$/),
    ...group,
  }),
  z.strictObject({
    kind: z.literal('calls'),
    /** Service of protected calls, type of jobs, or action of activities; `*` for all. */
    service: z.string().min(1).default('*'),
    ...group,
  }),
  z.strictObject({
    kind: z.literal('task-queue'),
    taskQueue: z.string().min(1),
    maxWorkflows: z.number().int().min(1).max(10_000).default(500),
    ...group,
  }),
]);

/** Section `chaos`. Without it no experiment runs. */
export const chaosConfig = z.strictObject({
  /** With `production` an experiment needs an approval. */
  mode: z.enum(['test', 'production']).default('test'),
  /** The reaper's journal on this host; on a disk, not in memory. */
  directory: z.string().default('.chronawflow/chaos'),
  targets: z.record(z.string().regex(/^[\w.-]{1,64}$/), chaosTarget).default({}),
  /** No fault may last longer. */
  maxDuration: positive.prefault('10m'),
  /** A lease that nobody renews for so long is over. */
  leaseTerm: positive.prefault('15s'),
  /** Most of a group's targets, and of the tenants, that are disturbed at once. */
  maxShare: z.number().gt(0).lte(1).default(0.5),
  /** No experiment starts while one of these holds, and one that runs is rolled back: such as a spent error budget. */
  refuseWhen: z
    .array(
      z.strictObject({
        kind: z.literal('metric'),
        url: z.url({ protocol: /^https?$/ }),
        metric: z.string().min(1),
        labels: z.record(z.string(), z.string()).default({}),
        above: z.number().optional(),
        below: z.number().optional(),
      }),
    )
    .default([]),
});

type Chaos = z.output<typeof chaosConfig>;

/** The section with every target changed by `change`. */
export function mapTargets(
  chaos: Chaos,
  change: (target: Chaos['targets'][string], name: string) => Chaos['targets'][string],
): Chaos {
  const targets = Object.entries(chaos.targets).map(
    ([name, target]) => [name, change(target, name)] as const,
  );
  return { ...chaos, targets: Object.fromEntries(targets) };
}

/** Relative paths made absolute. */
export function anchorChaos(chaos: Chaos, anchor: (path: string) => string): Chaos {
  return mapTargets({ ...chaos, directory: anchor(chaos.directory) }, (target) => {
    if ('pidFile' in target && target.pidFile !== undefined)
      return { ...target, pidFile: anchor(target.pidFile) };
    if (target.kind === 'scratch-disk' || target.kind === 'backup-repository')
      return { ...target, path: anchor(target.path) };
    if (target.kind === 'host' && target.directory !== undefined)
      return { ...target, directory: anchor(target.directory) };
    return target;
  });
}
