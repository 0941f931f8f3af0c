import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../core/cluster';
import type { CleanUp } from './clean-up';
import { removeDirectory, throwawayDirectory } from './throwaway-directory';
import { until } from './until';

/** The distribution's Alertmanager, that sends its webhooks to one receiver. */
export interface RealAlertmanager {
  /** Fires an alert, or with `endsAt` resolves it. */
  post(labels: Readonly<Record<string, string>>, more?: object): Promise<void>;
}

export async function startAlertmanager(
  cleanUp: CleanUp,
  receiver: { readonly url: string; readonly token: string },
): Promise<RealAlertmanager> {
  const program = process.env.CHRONAWFLOW_ALERTMANAGER;
  if (!program)
    throw new Error('CHRONAWFLOW_ALERTMANAGER is not set: eval "$(node scripts/bootstrap.mjs --print)"');
  const directory = await throwawayDirectory('alertmanager');
  cleanUp.add(() => removeDirectory(directory));
  const config = join(directory, 'alertmanager.yml');
  await writeFile(
    config,
    stringify({
      route: {
        receiver: 'people',
        group_by: ['alertname'],
        group_wait: '0s',
        group_interval: '1s',
        repeat_interval: '1s',
      },
      receivers: [
        {
          name: 'people',
          webhook_configs: [
            {
              url: receiver.url,
              send_resolved: true,
              http_config: { authorization: { type: 'Bearer', credentials: receiver.token } },
            },
          ],
        },
      ],
    }),
  );
  const port = await freePort();
  const child = spawn(
    program,
    [
      `--config.file=${config}`,
      `--storage.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  cleanUp.add(() => end(child));
  const api = `http://127.0.0.1:${port}`;
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`Alertmanager ended with ${child.exitCode}`);
      return (await fetch(`${api}/-/ready`).catch(() => undefined))?.ok === true;
    },
    { limitMs: 60_000, what: 'Alertmanager' },
  );
  return {
    post: async (labels, more = {}) => {
      const response = await fetch(`${api}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([{ labels, ...more }]),
      });
      if (!response.ok) throw new Error(`Alertmanager answered ${response.status}: ${await response.text()}`);
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
