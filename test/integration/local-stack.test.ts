import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import pino from 'pino';
import { Chronawflow } from '../../client';
import { type Config, loadConfig } from '../../config';
import { runProgram } from '../../core/cluster';
import {
  openStack,
  type PartName,
  type Stack,
  type StackEvent,
  startStack,
  stopParts,
  takeDownStack,
  takeStack,
} from '../../core/local-stack';
import { createPool } from '../../database';
import { createControlWorker } from '../../workers/create-control-worker';
import { until } from '../support/until';
import { workflowBundle } from '../workflow/support/workflow-bundle';

describe('the local stack', () => {
  let directory: string;
  let events: StackEvent[];

  const open = () => openStack({ directory, tenancy: { table: 'public.organisations' }, worker: false });
  const onEvent = (event: StackEvent) => events.push(event);
  const up = async (): Promise<Stack> => {
    const stack = await open();
    await startStack(stack, onEvent);
    return stack;
  };
  const status = async (stack: Stack) =>
    Object.fromEntries(
      await Promise.all(stack.steps.flat().map(async (part) => [part.name, await part.status()] as const)),
    );
  /** Those with a process of their own; the repository answers from its files. */
  const servers = async (stack: Stack) => {
    const { 'backup-repository': _, ...others } = await status(stack);
    return Object.values(others).map(({ kind }) => kind);
  };
  const pidOf = async (stack: Stack, name: PartName): Promise<number> => {
    const found = (await status(stack))[name];
    if (found?.kind !== 'running' || found.pid === undefined) throw new Error(`${name} does not run`);
    return found.pid;
  };
  const config = (stack: Stack): Config => loadConfig({ configFile: stack.layout.configFile, env: {} });
  const ask = async (connection: Config['platform']['database'], sql: string): Promise<unknown[]> => {
    const pool = createPool(connection, { applicationName: 'test' });
    try {
      return (await pool.query(sql)).rows;
    } finally {
      await pool.end();
    }
  };

  // One stack through its life: each test goes on from the one before, as an operator's days do.
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cf-stack-'));
  });
  beforeEach(() => {
    events = [];
  });
  afterAll(async () => {
    if (existsSync(join(directory, 'stack.json')))
      await takeDownStack({ directory, removeData: true, onEvent: () => undefined });
    await rm(directory, { recursive: true, force: true });
  });

  it('starts every part, and writes a configuration that reaches them', async () => {
    const stack = await up();
    expect(events.filter(({ kind }) => kind === 'started').map(({ part }) => part)).toEqual(
      expect.arrayContaining(['temporal', 'application-cluster', 'platform-cluster', 'backup-repository']),
    );
    const { application, platform, temporal } = config(stack);
    await ask(application.database, 'create table chronawflow.kept as select 42 as answer');
    expect(
      await ask(
        application.database,
        `select current_setting('archive_mode') as archiving, current_setting('data_checksums') as checksums,
                current_setting('track_commit_timestamp') as stamps`,
      ),
    ).toEqual([{ archiving: 'on', checksums: 'on', stamps: 'on' }]);
    await ask(
      platform.database,
      `insert into chronawflow.audit_event (id, actor, action, outcome) values ('1', 'a', 'b', 'c')`,
    );
    const connection = await Connection.connect({ address: temporal.address });
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace: 'default',
    });
    await connection.close();
    expect(Object.keys(customAttributes)).toEqual(
      expect.arrayContaining(['TenantId', 'Capability', 'Phase', 'Outcome']),
    );
    expect((await fetch(`${temporal.webUrl}`)).status).toBe(200);
  });

  it('has levels of degradation as it is, which its controllers watch over', async () => {
    const stackConfig = config(await open());
    const worker = await createControlWorker({
      config: stackConfig,
      log: pino({ level: 'silent' }),
      workflows: { workflowBundle: await workflowBundle() },
    });
    const ended = worker.run();
    const cf = await Chronawflow.connect({ config: stackConfig });
    try {
      const shown = async () => {
        const { levels } = await cf.overview();
        return 'value' in levels && levels.value !== 'off' ? levels.value[0] : undefined;
      };
      let health: Awaited<ReturnType<typeof shown>>;
      const settled = async () => {
        health = await shown();
        return health?.watched === true && health.processes > 0 && health.stragglers.length === 0;
      };
      await until(settled, { limitMs: 60_000, what: 'the controller to look, and its process to follow' });
      expect(health).toMatchObject({ scope: 'platform', level: 'normal' });
    } finally {
      await cf.close();
      worker.shutdown();
      await ended;
    }
  });

  it('keeps its passwords to itself', async () => {
    const { layout } = await open();
    for (const file of ['application-password', 'platform-password', 'repository-pass'])
      expect((await stat(join(layout.secrets, file))).mode & 0o777).toBe(0o600);
    expect((await stat(layout.backup.configFile)).mode & 0o777).toBe(0o600);
    const secret = (await readFile(join(layout.secrets, 'application-password'), 'utf8')).trim();
    expect(await readFile(layout.configFile, 'utf8')).not.toContain(secret);
    expect(JSON.stringify(events)).not.toContain(secret);
    const { application } = config(await open());
    await expect(ask({ ...application.database, password: 'wrong' }, 'select 1')).rejects.toThrow(
      /password authentication failed/,
    );
  });

  it('is taken over as it is when the process that started it is gone', async () => {
    const before = await open();
    const pids = [await pidOf(before, 'temporal'), await pidOf(before, 'application-cluster')];
    const stack = await up();
    expect(stack.ports).toEqual(before.ports);
    expect([await pidOf(stack, 'temporal'), await pidOf(stack, 'application-cluster')]).toEqual(pids);
  });

  it('comes back with its data after every process was killed', async () => {
    const before = await open();
    for (const name of ['temporal', 'application-cluster', 'platform-cluster'] as const)
      process.kill(await pidOf(before, name), 'SIGKILL');
    await until(async () => (await servers(before)).every((kind) => kind === 'stopped'));

    const stack = await up();
    expect(stack.ports).toEqual(before.ports);
    expect(await ask(config(stack).application.database, 'select answer from chronawflow.kept')).toEqual([
      { answer: 42 },
    ]);
    const { rows } = {
      rows: await ask(config(stack).platform.database, 'select actor from chronawflow.audit_event'),
    };
    expect(rows).toEqual([{ actor: 'a' }]);
  });

  it('stops, and resumes on other ports only where somebody took the old one', async () => {
    const before = await open();
    await stopParts(before.steps, onEvent);
    expect(await servers(before)).toEqual(['stopped', 'stopped', 'stopped']);

    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(before.ports.application, '127.0.0.1', resolve));
    try {
      const stack = await up();
      expect(stack.ports.application).not.toBe(before.ports.application);
      expect(stack.ports.platform).toBe(before.ports.platform);
      expect(await ask(config(stack).application.database, 'select answer from chronawflow.kept')).toEqual([
        { answer: 42 },
      ]);
      // The repository follows the server to its new port.
      await runProgram(
        config(stack).application.backup.binary,
        [`--config=${stack.layout.backup.configFile}`, '--stanza=app', 'check'],
        { asServerUser: true },
      );
    } finally {
      squatter.close();
    }
  });

  it('is held by one process at a time', async () => {
    const { layout } = await open();
    const letGo = await takeStack(layout.holderFile);
    await expect(takeStack(layout.holderFile)).rejects.toMatchObject({ code: 'STACK_BUSY', kind: 'refused' });
    await letGo();
    await (await takeStack(layout.holderFile))();
  });

  it('leaves nothing behind when it is removed', async () => {
    const { layout } = await open();
    await takeDownStack({ directory, removeData: true, onEvent });
    expect(existsSync(layout.servers)).toBe(false);
    expect(existsSync(layout.secrets)).toBe(false);
    await expect(takeDownStack({ directory, onEvent })).rejects.toMatchObject({ code: 'STACK_MISSING' });
  });
});
