import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** One attempt's code, from its first line until its connection is closed. */
interface Run {
  readonly tenant: string;
  readonly pid: number;
  /** Its process was stopped: it does not run, and its permit may be another one's. */
  disowned: boolean;
}

/**
 * Counts the code that runs, wherever it runs: each attempt holds a connection open, says whose it is and where in its first
 * line, and the kernel closes it when the process dies.
 */
export class RunningCode {
  private readonly runs = new Set<Run>();
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((socket) => this.accept(socket));
  /** The most attempts of one tenant that ran at the same time. */
  readonly most = new Map<string, number>();
  /** Every attempt in the order of its beginning: whose it was, and how many others ran then. */
  readonly begun: { readonly tenant: string; readonly beside: number }[] = [];
  /** Attempts that have come, and wait until so many have. */
  private readonly come: (readonly [Socket, Run])[] = [];
  private together = 1;
  /** Processes whose code does not count. */
  private readonly strangers = new Set<number>();
  private heldTenant: string | undefined;
  private readonly held: (() => void)[] = [];

  async listen(path: string): Promise<void> {
    this.server.listen(path);
    await once(this.server, 'listening');
  }

  get attempts(): number {
    return this.begun.length;
  }

  get running(): number {
    return [...this.runs].filter((run) => !run.disowned).length;
  }

  /** The next so many attempts begin at once, when the last of them has come: none of them runs without the others. */
  beginTogether(count: number): void {
    this.together = count;
  }

  /**
   * What this process runs does not count any more, also what it was about to tell: it is stopped for longer than a permit lasts.
   *
   * @returns whether what it runs now has ended
   */
  disown(pid: number): () => boolean {
    this.strangers.add(pid);
    const runs = [...this.runs].filter((run) => run.pid === pid);
    for (const run of runs) run.disowned = true;
    return () => !runs.some((run) => this.runs.has(run));
  }

  /** Attempts of this tenant that come from now on have their permit and do not begin before the release. */
  hold(tenant: string): { readonly waiting: () => number; readonly release: () => void } {
    this.heldTenant = tenant;
    return {
      waiting: () => this.held.length,
      release: () => {
        this.heldTenant = undefined;
        for (const begin of this.held.splice(0)) begin();
      },
    };
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.setEncoding('utf8').once('data', (text: string) => {
      const [tenant = '', pid] = text.trim().split(' ');
      const run = { tenant, pid: Number(pid), disowned: false };
      if (tenant === this.heldTenant) {
        this.held.push(() => this.begin([[socket, run]]));
        return;
      }
      this.come.push([socket, run]);
      if (this.come.length < this.together) return;
      this.together = 1;
      this.begin(this.come.splice(0));
    });
    socket.once('close', () => this.sockets.delete(socket));
  }

  private begin(come: readonly (readonly [Socket, Run])[]): void {
    // The process of another one was killed meanwhile.
    const attempts = come.filter(([socket]) => !socket.destroyed);
    for (const [, run] of attempts) {
      run.disowned = this.strangers.has(run.pid);
      this.runs.add(run);
    }
    for (const [socket, run] of attempts) {
      const { tenant } = run;
      const owned = [...this.runs].filter((one) => !one.disowned);
      this.begun.push({ tenant, beside: owned.filter((one) => one !== run).length });
      const count = owned.filter((one) => one.tenant === tenant).length;
      this.most.set(tenant, Math.max(count, this.most.get(tenant) ?? 0));
      socket.once('close', () => this.runs.delete(run));
      // The code begins when it is counted.
      socket.write('go\n');
    }
  }
}

/**
 * Source of a job module whose jobs are counted: `effect` inserts once and takes a moment before and after, `lines` is a batch
 * of such in chunks of 10 that are counted each, `poison` kills its process.
 */
export function countedJobModule(parts: {
  readonly entry: string;
  readonly zod: string;
  readonly socket: string;
}): string {
  return `
const { defineJob, defineBatchJob } = require(${JSON.stringify(parts.entry)});
const { z } = require(${JSON.stringify(parts.zod)});
const { createConnection } = require('node:net');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');

async function counted(tenant, work) {
  const socket = createConnection(${JSON.stringify(parts.socket)});
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(tenant + ' ' + process.pid + '\\n');
  await once(socket, 'data');
  try {
    return await work();
  } finally {
    socket.end();
    await once(socket, 'close');
  }
}

exports.jobs = [
  defineJob({
    type: 'effect',
    input: z.object({ beforeMs: z.number(), insideMs: z.number(), afterMs: z.number() }),
    retry: { maxAttempts: 50, initial: 50, max: 500 },
    run: (ctx, { beforeMs, insideMs, afterMs }) =>
      counted(ctx.tenant, async () => {
        await sleep(beforeMs, undefined, { signal: ctx.signal });
        const result = await ctx.once('insert', async (tx) => {
          await tx.query('insert into effect values ($1)', [ctx.key]);
          await sleep(insideMs);
          return ctx.key;
        });
        await sleep(afterMs, undefined, { signal: ctx.signal });
        return result;
      }),
  }),
  defineBatchJob({
    type: 'lines',
    item: z.string(),
    itemKey: (name) => name,
    chunkSize: 10,
    runBatch: (ctx, names, tx) =>
      counted(ctx.tenant, async () => {
        await tx.query('insert into effect select unnest($1::text[])', [names]);
        await sleep(100);
      }),
  }),
  defineJob({
    type: 'poison',
    input: z.null(),
    retry: { initial: 50, max: 500 },
    run: (ctx) => counted(ctx.tenant, async () => process.kill(process.pid, 'SIGKILL')),
  }),
];
`;
}
