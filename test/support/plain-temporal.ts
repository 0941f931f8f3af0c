import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Connection } from '@temporalio/client';
import { findTemporalCli, freePorts } from '../../core/cluster';
import { building } from './clean-up';
import { until } from './until';

/** Temporal's dev server as it comes, in memory: without the settings and search attributes of the local stack. */
export function startPlainTemporal(...settings: readonly string[]) {
  return building(async (cleanUp) => {
    const [port = 0] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const server = spawn(
      await findTemporalCli(),
      [
        'server',
        'start-dev',
        '--headless',
        '--ip=127.0.0.1',
        `--port=${port}`,
        '--log-level=never',
        ...settings.map((setting) => `--dynamic-config-value=${setting}`),
      ],
      { stdio: 'ignore' },
    );
    cleanUp.add(async () => {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const exited = once(server, 'exit');
      server.kill('SIGKILL');
      await exited;
    });
    await until(() => answers(address), { limitMs: 60_000, what: 'Temporal to answer' });
    return { address, stop: () => cleanUp.run() };
  });
}

async function answers(address: string): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: '2s' });
    await connection.workflowService.describeNamespace({ namespace: 'default' });
    await connection.close();
    return true;
  } catch {
    return false;
  }
}
