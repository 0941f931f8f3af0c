import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import {
  findPostgresBin,
  freePort,
  initServer,
  makeServerDirectory,
  type PostgresBin,
  runsAsRoot,
  serverStatus,
  serverUser,
  startServer,
  stopServer,
} from '../../core/cluster';
import { until } from '../support/until';

describe('a PostgreSQL server on this host', () => {
  let bin: PostgresBin;
  let root: string;
  let dataDirectory: string;
  let port: number;

  const start = () =>
    startServer({
      bin,
      dataDirectory,
      logFile: join(root, 'server.log'),
      socketDirectory: root,
      port,
      settings: { fsync: false },
    });

  const ask = async (sql: string): Promise<unknown> => {
    const client = new Client({ host: root, port, user: 'postgres', database: 'postgres' });
    await client.connect();
    try {
      return (await client.query<{ answer: unknown }>(sql)).rows[0]?.answer;
    } finally {
      await client.end();
    }
  };

  beforeAll(async () => {
    bin = await findPostgresBin();
    root = await makeServerDirectory(await mkdtemp(join(tmpdir(), 'cf-cluster-')));
    dataDirectory = join(root, 'data');
    port = await freePort();
    await initServer({ bin, dataDirectory, authLocal: 'trust', authHost: 'reject', noSync: true });
  });

  afterAll(async () => {
    await stopServer({ dataDirectory, mode: 'immediate' });
    await rm(root, { recursive: true, force: true });
  });

  it('belongs to the server user and is closed to everybody else', async () => {
    const { uid, mode } = await stat(dataDirectory);
    expect(uid).toBe((await serverUser()).uid);
    expect(mode & 0o777).toBe(0o700);
  });

  it('starts, says so, and stops', async () => {
    expect(await serverStatus(dataDirectory)).toEqual({ kind: 'stopped', stale: false, orphans: [] });
    const server = await start();
    expect(server.port).toBe(port);
    expect(await ask('select 1 as answer')).toBe(1);
    expect(await serverStatus(dataDirectory)).toEqual(server);
    await stopServer({ dataDirectory });
    expect((await serverStatus(dataDirectory)).kind).toBe('stopped');
    await stopServer({ dataDirectory });
  });

  it('is taken over by a second start', async () => {
    const first = await start();
    const second = await start();
    expect(second.pid).toBe(first.pid);
    await stopServer({ dataDirectory });
  });

  it('starts again at once after its processes were killed, whoever has its PID now', async () => {
    const first = await start();
    process.kill(first.pid, 'SIGKILL');
    await until(async () => (await serverStatus(dataDirectory)).kind === 'stopped');
    const second = await start();
    expect(second.pid).not.toBe(first.pid);
    expect(await ask('select 2 as answer')).toBe(2);

    await stopServer({ dataDirectory, mode: 'immediate' });
    const lock = join(dataDirectory, 'postmaster.pid');
    // What a crash followed by a reboot leaves behind: the lock of a PID that now is somebody else's.
    await writeFile(lock, `${process.pid}\n${dataDirectory}\n1700000000\n${port}\n${root}\n\n\nready   \n`);
    expect(await serverStatus(dataDirectory)).toMatchObject({ kind: 'stopped', stale: true });
    await stopServer({ dataDirectory });
    await start();
    expect(await ask('select 3 as answer')).toBe(3);
    await stopServer({ dataDirectory });
  });

  it('survives in a session of its own', async () => {
    const { pid } = await start();
    if (process.platform === 'linux') {
      const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ');
      expect(fields?.[3]).toBe(String(pid));
    }
    await stopServer({ dataDirectory });
  });

  it('tells why it did not start, and leaves nothing running', async () => {
    const failing = startServer({
      bin,
      dataDirectory,
      logFile: join(root, 'server.log'),
      socketDirectory: root,
      port,
      settings: { shared_buffers: '1' },
    });
    await expect(failing).rejects.toMatchObject({
      code: 'SERVER_START_FAILED',
      message: expect.stringContaining('shared_buffers'),
    });
    expect((await serverStatus(dataDirectory)).kind).toBe('stopped');
  });

  it('refuses a socket directory that the kernel would cut', async () => {
    const failing = startServer({
      bin,
      dataDirectory,
      logFile: join(root, 'server.log'),
      socketDirectory: `/tmp/${'x'.repeat(100)}`,
      port,
    });
    await expect(failing).rejects.toThrow(/longer than 92 bytes/);
  });

  it('names the directory that the server user cannot pass', async () => {
    if (!runsAsRoot()) return;
    const closed = await mkdtemp(join(tmpdir(), 'cf-closed-'));
    try {
      await expect(makeServerDirectory(join(closed, 'data'))).rejects.toMatchObject({
        code: 'SERVER_DIRECTORY_UNREACHABLE',
        details: { closedParent: closed },
      });
    } finally {
      await rm(closed, { recursive: true });
    }
  });
});
