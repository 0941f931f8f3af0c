import { z } from 'zod';
import { runProgram } from '../../../cluster';
import { DependencyMissingError, hasCode } from '../../../errors';
import { defineDriver } from '../define-driver';
import type { AnyDriver, FaultDriver, TargetOf } from '../driver';

type Nothing = Record<never, never>;
type Network = TargetOf<'network'>;

/** A handle of its own tells a fault's discipline from one that somebody else has set. */
const HANDLE = '0cf1:';

async function tc(target: Network, signal: AbortSignal, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await runProgram('ip', ['netns', 'exec', target.namespace, 'tc', ...args], { signal });
    return stdout;
  } catch (error) {
    if (hasCode(error, 'COMMAND_FAILED') && /Operation not permitted|not started/.test(String(error)))
      throw new DependencyMissingError('tc in a network namespace needs CAP_NET_ADMIN and CAP_SYS_ADMIN.', {
        cause: error,
        hint: 'Run the worker and the reaper with these rights, or choose a fault of Toxiproxy.',
      });
    if (/qdisc kind is unknown/.test(String(error)))
      throw new DependencyMissingError('The kernel has no netem.', {
        cause: error,
        hint: 'Load it (modprobe sch_netem; Debian has it in linux-modules-extra), or choose a fault of Toxiproxy.',
      });
    throw error;
  }
}

async function roots(target: Network, signal: AbortSignal): Promise<string> {
  return tc(target, signal, 'qdisc', 'show', 'dev', target.device, 'root');
}

function netemDriver<P extends object>(
  kind: Pick<FaultDriver<'network', P, Nothing>, 'name' | 'summary' | 'parameters'> & {
    /** The discipline and its options. */
    discipline(parameters: P): readonly string[];
  },
): AnyDriver {
  return defineDriver<'network', P, Nothing>({
    name: kind.name,
    targetKind: 'network',
    summary: kind.summary,
    parameters: kind.parameters,
    saved: z.strictObject({}),
    // Disciplines and namespaces live in the kernel.
    afterPowerLoss: 'gone',
    boundedBy: 'the reaper',
    prepare: async ({ target, signal }) => {
      const before = await roots(target, signal);
      if (/^qdisc (?!noqueue|pfifo_fast|fq_codel|mq)/m.test(before))
        throw new Error(`${target.device} has a queueing discipline already: ${before.trim()}`);
      return {};
    },
    inject: async ({ target, parameters, signal }) => {
      const discipline = kind.discipline(parameters);
      await tc(target, signal, 'qdisc', 'add', 'dev', target.device, 'root', 'handle', HANDLE, ...discipline);
    },
    remove: async ({ target, signal }) => {
      if (!(await roots(target, signal)).includes(HANDLE.replace(/^0/, ''))) return;
      await tc(target, signal, 'qdisc', 'del', 'dev', target.device, 'root').catch(async (error: unknown) => {
        // Somebody else was faster.
        if ((await roots(target, signal)).includes(HANDLE.replace(/^0/, ''))) throw error;
      });
    },
    isThere: async ({ target, signal }) => (await roots(target, signal)).includes(HANDLE.replace(/^0/, '')),
  });
}

const percent = z.number().gt(0).lte(100);
const ms = z.number().int().min(0).max(600_000);

/** Faults of one device in one network namespace. Source: tc-netem(8). */
export const netemDrivers: readonly AnyDriver[] = [
  netemDriver({
    name: 'network.delay',
    summary: 'packets are late',
    parameters: z.strictObject({ delayMs: ms, jitterMs: ms.default(0) }),
    discipline: ({ delayMs, jitterMs }) => ['netem', 'delay', `${delayMs}ms`, `${jitterMs}ms`],
  }),
  netemDriver({
    name: 'network.loss',
    summary: 'a share of the packets is lost',
    parameters: z.strictObject({ percent }),
    discipline: (parameters) => ['netem', 'loss', `${parameters.percent}%`],
  }),
  netemDriver({
    name: 'network.partition',
    summary: 'no packet leaves the device',
    parameters: z.strictObject({}),
    // A queue of one byte takes no packet; unlike netem it is in every kernel.
    discipline: () => ['bfifo', 'limit', '1'],
  }),
];
