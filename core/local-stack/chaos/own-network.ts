import { runProgram } from '../../cluster';
import { messageOf } from '../../errors';
import type { StackPart } from '../part';
import { PartFailedError } from '../part-failed-error';
import type { OwnNetwork } from './own-network.pure';

/** A network namespace with a wire to this host: what runs in it can be cut off without touching anything else. Needs root. */
export function ownNetworkPart(network: OwnNetwork): StackPart {
  const { namespace, outside, inside, hostAddress, address, prefix } = network;
  const ip = (...args: readonly string[]) => runProgram('ip', args, { timeoutMs: 10_000 });
  return {
    name: 'own-network',
    async start(control) {
      if (await isThere(namespace)) return;
      control.progress('namespace and wire');
      try {
        await ip('netns', 'add', namespace);
        await ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', namespace);
        await ip('addr', 'add', `${hostAddress}/${prefix}`, 'dev', outside);
        await ip('link', 'set', outside, 'up');
        await ip('-n', namespace, 'addr', 'add', `${address}/${prefix}`, 'dev', inside);
        await ip('-n', namespace, 'link', 'set', inside, 'up');
        await ip('-n', namespace, 'link', 'set', 'lo', 'up');
      } catch (error) {
        await removeNetwork(network);
        throw new PartFailedError('own-network', messageOf(error), '', error);
      }
    },
    stop: () => removeNetwork(network),
    status: async () =>
      (await isThere(namespace))
        ? { kind: 'running', where: `namespace ${namespace}, ${address}` }
        : { kind: 'stopped' },
  };
}

/** The wire goes with the namespace. */
export async function removeNetwork({ namespace }: Pick<OwnNetwork, 'namespace'>): Promise<void> {
  if (await isThere(namespace)) await runProgram('ip', ['netns', 'del', namespace], { timeoutMs: 10_000 });
}

async function isThere(namespace: string): Promise<boolean> {
  const listed = await runProgram('ip', ['netns', 'list'], { timeoutMs: 10_000 }).catch(() => undefined);
  return listed?.stdout.split('\n').some((line) => line.split(' ')[0] === namespace) ?? false;
}

/** Whether this process may make namespaces and wires at all: it is tried, with one that is removed again. */
export async function mayMakeNetworks(namespace: string): Promise<boolean> {
  try {
    await runProgram('ip', ['netns', 'add', namespace], { timeoutMs: 10_000 });
    await runProgram('ip', ['netns', 'exec', namespace, 'tc', 'qdisc', 'show'], { timeoutMs: 10_000 });
    return true;
  } catch {
    return false;
  } finally {
    await removeNetwork({ namespace }).catch(() => undefined);
  }
}
