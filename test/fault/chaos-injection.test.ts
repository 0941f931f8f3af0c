import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { abortAll, endFault, type FaultLease, injectFault, LeaseJournal } from '../../core/chaos';
import { detachedStatus, startDetached } from '../../core/cluster';
import { findFault } from '../support/chaos-checker';
import { type ChaosStage, newLeaseId, startChaosStage } from '../support/chaos-stage';
import { kill } from '../support/kill';
import { injectLasting, LATENCY, letPass, rollBack, untilGone } from '../support/lasting-fault';
import { onSmallDisk } from '../support/small-disk';
import { until } from '../support/until';

let stage: ChaosStage;
beforeAll(async () => {
  stage = await startChaosStage();
}, 240_000);
afterAll(() => stage?.stop(), 120_000);

const inject = (wanted: Parameters<typeof injectLasting>[1]) => injectLasting(stage, wanted);

test('invariant 2: an inverse that fails is repeated, counted and told, until it succeeds', async () => {
  const lease = await inject({ driver: 'postgres.read-only', target: 'database' });
  await stage.database.halt('immediate');
  await expect(
    endFault(stage.host, lease, { by: 'test', reason: 'rolled-back', limitMs: 1_500 }),
  ).rejects.toMatchObject({
    code: 'CHAOS_FAULT_REMAINS',
    retryable: true,
  });
  expect((await stage.host.journal.failure(lease.id))?.attempts).toBeGreaterThan(0);
  expect(await stage.host.journal.find(lease.id)).toEqual(lease);
  await stage.database.start();
  await rollBack(stage.host, lease);
  expect(await findFault(stage, lease)).toBeUndefined();
}, 300_000);

test('invariant 3: a driver that comes late does not inject', async () => {
  const lease = await inject(LATENCY);
  await letPass(stage.host, lease);
  await untilGone(stage, lease);
  const late = spawn(process.execPath, [stage.programs.driver, lease.id], {
    stdio: 'ignore',
    env: { ...process.env, CHRONAWFLOW_CONFIG: stage.configFile },
  });
  await once(late, 'exit');
  expect(await findFault(stage, lease)).toBeUndefined();
}, 300_000);

test('invariant 7: two faults on one thing are refused, and the first one stays', async () => {
  const lease = await inject(LATENCY);
  await expect(inject({ driver: 'toxiproxy.down', target: 'proxy-1' })).rejects.toMatchObject({
    code: 'CHAOS_REFUSED',
  });
  expect(await findFault(stage, lease)).toContain('latency');
  await rollBack(stage.host, lease);
  expect(await findFault(stage, lease)).toBeUndefined();
}, 300_000);

test('a fault that cannot be injected leaves nothing', async () => {
  const refused = inject({
    driver: 'postgres.lock',
    target: 'database',
    parameters: { table: 'public.other' },
  });
  await expect(refused).rejects.toMatchObject({ code: 'CHAOS_FAULT_NOT_INJECTED' });
  await expect(
    inject({ driver: 'backup.lost', target: 'repository', parameters: { file: '../x' } }),
  ).rejects.toThrow();
  expect(await stage.host.journal.ids()).toEqual([]);
}, 300_000);

test('without room for the journal nothing is injected, and what is there still ends', async () => {
  await onSmallDisk('64k', async (small) => {
    const host = { ...stage.host, store: undefined, journal: new LeaseJournal(small) };
    const lease: FaultLease = { ...(await inject(LATENCY)), id: newLeaseId() };
    await host.journal.open(lease);
    const filler = Buffer.alloc(4_096);
    await expect(
      (async () => {
        for (let file = 0; ; file += 1) await writeFile(join(small, `fill-${file}`), filler);
      })(),
    ).rejects.toMatchObject({ code: 'ENOSPC' });
    await expect(
      injectFault(host, stage.programs, {
        ...LATENCY,
        ...{ leaseId: newLeaseId(), experiment: 'x', target: 'proxy-2', durationMs: 9_000, termMs: 9_000 },
      }),
    ).rejects.toMatchObject({ code: 'ENOSPC' });
    await rollBack(host, lease);
    expect(await host.journal.ids()).toEqual([]);
  }).finally(() => abortAll(stage.host, 'test'));
}, 300_000);

test('the unit that has the PID now is not signalled for the one that had it', async () => {
  const record = JSON.parse(await readFile(stage.unitFile, 'utf8'));
  await writeFile(stage.unitFile, JSON.stringify({ ...record, identity: '1' }));
  try {
    await expect(inject({ driver: 'process.stop', target: 'unit' })).rejects.toMatchObject({
      code: 'CHAOS_FAULT_NOT_INJECTED',
    });
  } finally {
    await writeFile(stage.unitFile, JSON.stringify(record));
  }
  expect(await findFault(stage, { id: '', driver: 'process.stop', target: 'unit' })).toBeUndefined();
}, 300_000);

test('a process that dies while it is stopped is no fault any more', async () => {
  const lease = await inject({ driver: 'process.stop', target: 'unit' });
  // The signal is there; the process stands when it would next run.
  await until(async () => /State:\s+T/.test((await findFault(stage, lease)) ?? ''), {
    what: 'the process to stand',
  });
  kill(JSON.parse(await readFile(stage.unitFile, 'utf8')).pid);
  await rollBack(stage.host, lease);
  expect(await stage.host.journal.ids()).toEqual([]);
  await until(async () => (await detachedStatus(stage.unitFile)).kind === 'stopped', {
    what: 'it to be dead',
  });
  await startDetached({
    ...{ file: '/bin/sleep', args: ['3600'] },
    ...{ recordFile: stage.unitFile, logFile: `${stage.unitFile}.log` },
  });
}, 300_000);

test('a server that never answers is not waited for', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const host = {
    ...stage.host,
    targets: { silent: { kind: 'toxiproxy' as const, url: `http://127.0.0.1:${port}`, proxy: 'x' } },
  };
  await expect(
    injectFault(host, stage.programs, {
      ...LATENCY,
      ...{ leaseId: newLeaseId(), experiment: 'x', target: 'silent', durationMs: 9_000, termMs: 9_000 },
    }),
  ).rejects.toMatchObject({ code: 'CHAOS_FAULT_NOT_INJECTED' });
  silent.closeAllConnections();
  silent.close();
}, 300_000);
