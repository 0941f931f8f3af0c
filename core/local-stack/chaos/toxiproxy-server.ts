import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { detachedStatus, startDetached, stopDetached } from '../../cluster';
import type { StackPart } from '../part';
import { PartFailedError } from '../part-failed-error';
import type { ProcessPlace } from '../places.pure';

export interface ToxiproxyOptions {
  readonly program: string;
  readonly place: ProcessPlace;
  readonly port: number;
  /** By name, both as ports of 127.0.0.1. */
  readonly proxies: Readonly<Record<string, { readonly listen: number; readonly upstream: number }>>;
}

const READY_LIMIT_MS = 20_000;
const ANSWER_LIMIT_MS = 2_000;

/** How it is started, here and by whoever finds that it hangs. */
export function toxiproxyStart({ program, port }: Pick<ToxiproxyOptions, 'program' | 'port'>) {
  return { program, args: ['-host', '127.0.0.1', '-port', String(port)] };
}

/** Toxiproxy with the ways that experiments disturb. It keeps nothing: a start gives it its proxies again. */
export function toxiproxyServer(options: ToxiproxyOptions): StackPart {
  const { place, port, proxies } = options;
  const url = `http://127.0.0.1:${port}`;
  return {
    name: 'toxiproxy',
    async start(control) {
      await mkdir(place.directory, { recursive: true, mode: 0o700 });
      const { program, args } = toxiproxyStart(options);
      await startDetached({ file: program, args, recordFile: place.recordFile, logFile: place.logFile });
      const limit = Date.now() + READY_LIMIT_MS;
      const wanted = Object.entries(proxies).map(([name, { listen, upstream }]) => ({
        name,
        listen: `127.0.0.1:${listen}`,
        upstream: `127.0.0.1:${upstream}`,
        enabled: true,
      }));
      while (!(await populate(url, wanted))) {
        control.signal?.throwIfAborted();
        if (Date.now() > limit) throw new PartFailedError('toxiproxy', 'it does not answer', '');
        await sleep(100);
      }
    },
    stop: () => stopDetached(place.recordFile),
    async status() {
      const process = await detachedStatus(place.recordFile);
      if (process.kind === 'stopped') return { kind: 'stopped' };
      return { kind: 'running', pid: process.pid, startedAt: process.startedAt, where: url };
    },
  };
}

/** Creates or changes the proxies that differ. Source: https://github.com/Shopify/toxiproxy#populating-proxies */
async function populate(url: string, proxies: readonly object[]): Promise<boolean> {
  return fetch(`${url}/populate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(proxies),
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
  }).then(
    (response) => response.ok,
    () => false,
  );
}
