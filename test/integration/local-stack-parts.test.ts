import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, processIdentity } from '../../core/cluster';
import { currentHolder, openStack, takeStack, workerProcess } from '../../core/local-stack';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cf-parts-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the worker of the stack', () => {
  const worker = async (script: string) => {
    const entry = join(directory, 'worker.js');
    await writeFile(entry, script);
    const place = {
      directory,
      recordFile: join(directory, 'process.json'),
      logFile: join(directory, 'worker.log'),
    };
    return workerProcess({ place, configFile: '/config.yaml', metricsPort: await freePort(), entry });
  };
  const control = { progress: () => undefined };

  it('has started when it says that it is healthy, with the configuration of the stack', async () => {
    const part = await worker(`
      const port = Number(process.argv[process.argv.indexOf('--metrics-port') + 1]);
      let asked = 0;
      require('node:http').createServer((request, response) => {
        const ready = request.url === '/healthz' && process.env.CHRONAWFLOW_CONFIG === '/config.yaml' && ++asked > 2;
        response.writeHead(ready ? 200 : 503).end();
      }).listen(port, '127.0.0.1');`);
    try {
      await part.start(control);
      expect(await part.status()).toMatchObject({ kind: 'running' });
    } finally {
      await part.stop();
    }
    expect(await part.status()).toEqual({ kind: 'stopped' });
  });

  it('tells with its last words why it did not start', async () => {
    const part = await worker(`console.error('no such server'); process.exit(1);`);
    await expect(part.start(control)).rejects.toMatchObject({
      code: 'STACK_PART_FAILED',
      message: expect.stringContaining('no such server'),
    });
    await part.stop();
  });
});

describe('who holds a stack', () => {
  it('is forgotten when its process was killed, even before it had written its name', async () => {
    const file = join(directory, 'up.json');
    const other = spawn('sleep', ['300']);
    await once(other, 'spawn');
    const pid = other.pid ?? 0;
    await writeFile(file, JSON.stringify({ pid, identity: await processIdentity(pid) }));
    await expect(takeStack(file)).rejects.toMatchObject({ code: 'STACK_BUSY', details: { pid } });
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect(await currentHolder(file)).toBeUndefined();
    await (await takeStack(file))();

    await writeFile(file, '');
    await (await takeStack(file))();
  });
});

it('a state file that nobody can understand is an error with a way out, not a crash', async () => {
  await writeFile(join(directory, 'stack.json'), '{"ports": 1}');
  await expect(openStack({ directory, tenancy: { table: 'public.t' } })).rejects.toMatchObject({
    code: 'STACK_STATE_INVALID',
    hint: expect.stringContaining('--directory'),
  });
});
