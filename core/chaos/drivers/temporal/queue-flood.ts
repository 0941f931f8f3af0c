import { z } from 'zod';
import { defineDriver } from '../define-driver';
import type { AnyDriver } from '../driver';

/** What the fault needs of Temporal; implemented by whoever knows it (client/). */
export interface QueueFlooding {
  /** Loads what the others need. */
  makeReady(): Promise<void>;
  /** Starts workflows that no worker knows, named `<prefix><n>`; Temporal itself ends each after `lifetimeMs`. */
  start(request: {
    readonly taskQueue: string;
    readonly prefix: string;
    readonly count: number;
    readonly lifetimeMs: number;
    readonly signal: AbortSignal;
  }): Promise<void>;
  /** Terminates those that run. */
  end(request: {
    readonly prefix: string;
    readonly count: number;
    readonly signal: AbortSignal;
  }): Promise<void>;
  /** How many run. */
  running(request: {
    readonly prefix: string;
    readonly count: number;
    readonly signal: AbortSignal;
  }): Promise<number>;
}

const parameters = z.strictObject({ workflows: z.number().int().min(1).max(10_000).default(100) });
const nothing = z.strictObject({});

/** Workers of the queue are kept busy with tasks that they cannot carry out. */
export function queueFlood(flooding: QueueFlooding): AnyDriver {
  const of = (
    leaseId: string,
    target: { readonly maxWorkflows: number },
    workflows: number,
    signal: AbortSignal,
  ) => ({
    prefix: `chaos-flood/${leaseId}/`,
    count: Math.min(workflows, target.maxWorkflows),
    signal,
  });
  return defineDriver<'task-queue', z.output<typeof parameters>, Record<never, never>>({
    name: 'temporal.queue-flooded',
    targetKind: 'task-queue',
    summary: 'a task queue is full of workflows that nobody can run, at most the target’s `maxWorkflows`',
    parameters,
    saved: nothing,
    afterPowerLoss: 'gone',
    boundedBy: 'the server',
    makeReady: () => flooding.makeReady(),
    prepare: async () => ({}),
    inject: ({ leaseId, target, parameters: { workflows }, remainingMs, signal }) =>
      flooding.start({
        ...of(leaseId, target, workflows, signal),
        taskQueue: target.taskQueue,
        lifetimeMs: remainingMs,
      }),
    remove: ({ leaseId, target, parameters: { workflows }, signal }) =>
      flooding.end(of(leaseId, target, workflows, signal)),
    isThere: async ({ leaseId, target, parameters: { workflows }, signal }) =>
      (await flooding.running(of(leaseId, target, workflows, signal))) > 0,
  });
}
