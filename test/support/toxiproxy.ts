import { readFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { detachedStatus, freePort, startDetached, stopDetached } from '../../core/cluster';
import { building } from './clean-up';
import { guardAgainstOrphans } from './orphan-guard';
import { removeDirectory, throwawayDirectory } from './throwaway-directory';
import { until } from './until';

/**
 * What may be done to a connection, with Toxiproxy's own names and units (milliseconds, bytes, KB/s).
 * Source: https://github.com/Shopify/toxiproxy#toxics
 */
export type Toxic =
  | {
      readonly type: 'latency';
      readonly attributes: { readonly latency: number; readonly jitter?: number };
    }
  | { readonly type: 'bandwidth'; readonly attributes: { readonly rate: number } }
  | { readonly type: 'slow_close'; readonly attributes: { readonly delay: number } }
  /** Nothing passes, and the connection is closed after that time; 0: never, as in a network that swallows packets. */
  | { readonly type: 'timeout'; readonly attributes: { readonly timeout: number } }
  /** A TCP reset, after that time. */
  | { readonly type: 'reset_peer'; readonly attributes: { readonly timeout: number } }
  | {
      readonly type: 'slicer';
      readonly attributes: {
        readonly average_size: number;
        readonly size_variation: number;
        readonly delay: number;
      };
    }
  /** The connection is closed once that much has passed. */
  | { readonly type: 'limit_data'; readonly attributes: { readonly bytes: number } };

export interface ToxicOptions {
  /** upstream: from the client to the server; default: downstream, as in Toxiproxy. */
  readonly stream?: 'upstream' | 'downstream';
  /** Share of the connections that it is applied to, 0 to 1. Default: all. */
  readonly toxicity?: number;
}

export interface ToxicProxy {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Open connections are affected as well. @returns how it is removed again. */
  add(toxic: Toxic, options?: ToxicOptions): Promise<() => Promise<void>>;
  /** Closes every connection and accepts none until enable(). */
  disable(): Promise<void>;
  enable(): Promise<void>;
}

export interface Toxiproxy {
  /** Root of its HTTP API. */
  readonly url: string;
  readonly directory: string;
  /** PID of its server as it is now; undefined while none runs. */
  pid(): Promise<number | undefined>;
  /** A proxy on a free port of 127.0.0.1. @param upstream "host:port" of what it leads to. */
  proxy(upstream: string): Promise<ToxicProxy>;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
  /** When it was last killed, by the time since boot in milliseconds. */
  readonly killedMs: number | undefined;
  /** Starts it again with all its proxies when it was killed, as a supervisor would. @throws Error once it is stopped */
  revive(): Promise<void>;
  /** Removes every toxic and enables every proxy. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

const created = z.object({ name: z.string(), listen: z.string() });
const definition = created.extend({ upstream: z.string(), enabled: z.boolean() });
const addedToxic = z.object({ name: z.string() });

/** Toxiproxy's server on a free port; the bootstrap found it. */
export function startToxiproxy(): Promise<Toxiproxy> {
  return building(async (cleanUp) => {
    const file = process.env.CHRONAWFLOW_TOXIPROXY;
    if (!file)
      throw new Error('CHRONAWFLOW_TOXIPROXY is not set: eval "$(node scripts/bootstrap.mjs --print)"');
    const directory = await throwawayDirectory('toxiproxy');
    cleanUp.add(guardAgainstOrphans(directory));
    cleanUp.add(() => removeDirectory(directory));
    const port = await freePort();
    const recordFile = join(directory, 'process.json');
    const logFile = join(directory, 'toxiproxy.log');
    let stopped = false;
    let killedMs: number | undefined;
    const start = async () => {
      if (stopped) throw new Error('Toxiproxy was stopped, and whoever starts it again is late');
      await startDetached({ file, args: ['-host', '127.0.0.1', '-port', String(port)], recordFile, logFile });
    };
    const url = `http://127.0.0.1:${port}`;
    cleanUp.add(async () => {
      stopped = true;
      await stopDetached(recordFile);
      if (await answers(url)) throw new Error(`${url} still answers: a Toxiproxy is left that nobody knows`);
    });
    await start();
    await until(() => answers(url), { what: `Toxiproxy on ${url}` }).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${await readFile(logFile, 'utf8')}`, { cause: error });
    });
    let count = 0;
    const made: z.infer<typeof definition>[] = [];
    const pid = async () => {
      const status = await detachedStatus(recordFile);
      return status.kind === 'running' ? status.pid : undefined;
    };
    return {
      url,
      directory,
      pid,
      kill: async () => {
        const running = await pid();
        if (running === undefined) return;
        process.kill(running, 'SIGKILL');
        killedMs = uptime() * 1_000;
      },
      get killedMs() {
        return killedMs;
      },
      proxy: async (upstream) => {
        count += 1;
        const name = `proxy-${count}`;
        // Not one of the system's choice: while Toxiproxy is down, an outgoing connection could take it.
        const listen = `127.0.0.1:${await freePort()}`;
        const wanted = { name, listen, upstream, enabled: true };
        const proxy = definition.parse(await call(url, 'POST', '/proxies', wanted));
        made.push(proxy);
        return toxicProxy(url, proxy);
      },
      revive: async () => {
        await start();
        await until(() => answers(url), { what: 'Toxiproxy to answer again' });
        // Whoever ended a fault may have recreated some: 409.
        for (const proxy of made) await call(url, 'POST', '/proxies', proxy).catch(() => undefined);
      },
      reset: async () => {
        await call(url, 'POST', '/reset');
      },
      stop: () => cleanUp.run(),
    };
  });
}

function toxicProxy(url: string, { name, listen }: z.infer<typeof created>): ToxicProxy {
  const path = `/proxies/${name}`;
  return {
    host: '127.0.0.1',
    port: Number(listen.slice(listen.lastIndexOf(':') + 1)),
    add: async (toxic, options = {}) => {
      const added = addedToxic.parse(await call(url, 'POST', `${path}/toxics`, { ...toxic, ...options }));
      return async () => {
        await call(url, 'DELETE', `${path}/toxics/${added.name}`);
      };
    },
    disable: async () => {
      await call(url, 'POST', path, { enabled: false });
    },
    enable: async () => {
      await call(url, 'POST', path, { enabled: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  return call(url, 'GET', '/version').then(
    () => true,
    () => false,
  );
}

/** @returns the answer's JSON; undefined for an empty one. */
async function call(url: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`Toxiproxy refused ${method} ${path} with status ${response.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
