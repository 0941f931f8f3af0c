import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { PayloadsConfig } from '../../../config';
import { createPayloadCodec } from '../../../core/payload-codec';
import { applyMigrations } from '../../../database';
import { building } from '../../support/clean-up';
import { makeKeyFile, payloadsConfig } from '../../support/payload-keys';
import { type RealPostgres, startPostgres } from '../../support/real-postgres';
import { type RealTemporal, startTemporal } from '../../support/temporal-server';
import type { SecretiveActivities } from './secretive-workflows';

const WORKFLOWS = join(__dirname, '..', '..', '..', 'workflows');
const TASK_QUEUE = 'secretive';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const activities: SecretiveActivities = {
  echo: async (text) => text,
  fail: async (text) => {
    throw new Error(`cannot ${text}`);
  },
};

/** Temporal and a control plane, real, and workers and clients with the codec. */
export interface SecretiveStage {
  readonly temporal: RealTemporal;
  readonly postgres: RealPostgres;
  readonly platform: Pool;
  /** The stage's own key, the rest by default. */
  readonly payloads: PayloadsConfig;
  readonly taskQueue: string;
  /** With the codec. */
  readonly client: Client;
  /** As Temporal's own tools are: without. */
  readonly plain: Client;
  clientWith(payloads: PayloadsConfig): Client;
  /** @returns how to stop it */
  startWorker(payloads?: PayloadsConfig, taskQueue?: string): Promise<() => Promise<void>>;
  /** Resets a run to its first workflow task. @returns the new run's ID */
  reset(workflowId: string, runId: string): Promise<string>;
  /** Everything that the server knows of a run, as text: bytes as such, decoded from base64. */
  allThatIsStored(workflowId: string): Promise<string>;
  stop(): Promise<void>;
}

export function startSecretiveStage(): Promise<SecretiveStage> {
  return building(async (cleanUp) => {
    const [temporal, postgres, { code }] = await Promise.all([
      startTemporal(),
      startPostgres(),
      bundleWorkflowCode({
        workflowsPath: join(__dirname, 'secretive-workflows.ts'),
        failureConverterPath: join(WORKFLOWS, 'failure-converter.ts'),
        workflowInterceptorModules: [join(WORKFLOWS, 'plain-input.ts')],
        logger: new DefaultLogger('WARN'),
      }),
    ]);
    cleanUp.add(() => temporal.stop());
    cleanUp.add(() => postgres.stop());
    const platform = await postgres.createDatabase('platform');
    await applyMigrations(platform, 'platform');
    const payloads = payloadsConfig({ keyEncryptionKeys: [await makeKeyFile(temporal.directory, 'first')] });
    const { address, namespace } = temporal;
    const connection = await Connection.connect({ address });
    cleanUp.add(() => connection.close());
    const clientWith = (config: PayloadsConfig) =>
      new Client({
        connection,
        dataConverter: {
          payloadCodecs: [createPayloadCodec(config, platform, { namespace, side: 'client' })],
        },
      });
    const plain = new Client({ connection });
    return {
      temporal,
      postgres,
      platform,
      payloads,
      taskQueue: TASK_QUEUE,
      client: clientWith(payloads),
      plain,
      clientWith,
      startWorker: async (config = payloads, taskQueue = TASK_QUEUE) => {
        const native = await NativeConnection.connect({ address });
        const worker = await Worker.create({
          connection: native,
          taskQueue,
          activities,
          workflowBundle: { code },
          dataConverter: {
            payloadCodecs: [createPayloadCodec(config, platform, { namespace, side: 'worker' })],
            failureConverterPath: join(WORKFLOWS, 'failure-converter.ts'),
          },
        });
        const ended = worker.run();
        return async () => {
          worker.shutdown();
          await ended;
          await native.close();
        };
      },
      reset: async (workflowId, runId) => {
        const { stdout } = await promisify(execFile)(temporal.cli, [
          ...['workflow', 'reset', '--address', address, '--workflow-id', workflowId, '--run-id', runId],
          ...['--type', 'FirstWorkflowTask', '--reason', 'by a test', '--output', 'json'],
        ]);
        return z.object({ runId: z.string() }).parse(JSON.parse(stdout)).runId;
      },
      allThatIsStored: async (workflowId) => {
        const handle = plain.workflow.getHandle(workflowId);
        const description = await plain.workflowService.describeWorkflowExecution({
          namespace,
          execution: { workflowId },
        });
        return texts([await handle.fetchHistory(), description]).join('\n');
      },
      stop: () => cleanUp.run(),
    };
  });
}

/** All texts and bytes anywhere in a value. */
function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('latin1')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(texts);
}
