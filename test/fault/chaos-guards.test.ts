import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { abortAll, countFaults, Guard, LeaseJournal, readGuard } from '../../core/chaos';
import { findFault } from '../support/chaos-checker';
import { killChaosProcesses } from '../support/chaos-processes';
import { type ChaosStage, newLeaseId, startChaosStage } from '../support/chaos-stage';
import { kill } from '../support/kill';
import { injectLasting, LATENCY, letPass, rollBack, untilGone } from '../support/lasting-fault';
import { until } from '../support/until';

let stage: ChaosStage;
beforeAll(async () => {
  stage = await startChaosStage();
}, 240_000);
afterAll(() => stage?.stop(), 120_000);

const inject = (wanted: Parameters<typeof injectLasting>[1]) => injectLasting(stage, wanted);

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(
      execFileSync('cat', [`/proc/${pid}/status`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    );
  } catch {
    return false;
  }
}

test('invariant 1: with everything of ours dead, the boot unit’s reaper ends what is over', async () => {
  const lease = await inject(LATENCY);
  await killChaosProcesses(stage.configFile);
  await letPass(stage.host, lease);
  await until(async () => (await countFaults(stage.host.journal)).residual === 1, {
    what: 'the fault to be residual',
  });
  expect(await findFault(stage, lease)).toContain('toxics');
  const unit = spawn(process.execPath, [stage.programs.reaper, '--stay'], {
    stdio: 'ignore',
    env: { ...process.env, CHRONAWFLOW_CONFIG: stage.configFile },
  });
  await untilGone(stage, lease);
  expect((await countFaults(stage.host.journal)).residual).toBe(0);
  unit.kill('SIGKILL');
  await once(unit, 'exit');
}, 300_000);

test('the guards start each other again', async () => {
  const lease = await inject(LATENCY);
  for (const name of ['a', 'b'] as const) {
    const before = (await readGuard(stage.host.journal.directory, name))?.pid;
    kill(before);
    await until(
      async () => {
        const now = (await readGuard(stage.host.journal.directory, name))?.pid;
        return now !== undefined && now !== before && isRunning(now);
      },
      { what: `guard ${name} to be there again` },
    );
  }
  // Both at once: then the fault's own process starts them.
  const before = await stage.guards();
  for (const pid of Object.values(before)) kill(pid);
  await until(
    async () => {
      const now = await stage.guards();
      return (['a', 'b'] as const).every((name) => now[name] !== before[name] && isRunning(now[name] ?? 0));
    },
    { what: 'both guards to be there again' },
  );
  await rollBack(stage.host, lease);
}, 300_000);

test('without a fault a guard ends, and starts nobody', async () => {
  const directory = join(stage.directory, 'idle');
  const started: string[] = [];
  const guard = new Guard(
    { ...stage.host, store: undefined, journal: new LeaseJournal(directory) },
    {
      name: 'a',
      idleMs: 500,
      keepOther: async (name) => {
        started.push(name);
      },
    },
  );
  await mkdir(directory);
  await guard.run(new AbortController().signal);
  expect(started).toEqual([]);
}, 300_000);

test('SIGTERM, as a host that shuts down sends it, ends every fault', async () => {
  const lease = await inject(LATENCY);
  for (const pid of Object.values(await stage.guards())) if (pid !== undefined) process.kill(pid, 'SIGTERM');
  await untilGone(stage, lease);
  expect((await stage.host.journal.ended(lease.id))?.reason).toBe('aborted');
}, 300_000);

test('the lease of another boot is over, whatever its times say', async () => {
  const lease = await inject(LATENCY);
  await killChaosProcesses(stage.configFile);
  const file = join(stage.host.journal.directory, 'leases', lease.id, 'lease.json');
  await writeFile(file, JSON.stringify({ ...lease, bootId: 'an earlier boot', deadlineMs: 1e15 }));
  await inject({ ...LATENCY, target: 'proxy-2' });
  await untilGone(stage, lease);
  expect((await stage.host.journal.ended(lease.id))?.reason).toBe('other-boot');
  await abortAll(stage.host, 'test');
}, 300_000);

test('invariant 4: a row that somebody wrote executes nothing, and is closed only when its fault is allowed', async () => {
  const { host, platform } = stage;
  const row = (id: string, driver: string, target: string) =>
    platform.query(
      `insert into chronawflow.fault_lease (id, experiment, driver, target, resource, host, parameters, deadline)
       values ($1, 'forged', $2, $3, $1, $4, '{"latencyMs": 5}', clock_timestamp() - interval '1 minute')`,
      [id, driver, target, host.host],
    );
  const [allowed, command, elsewhere] = [newLeaseId(), newLeaseId(), newLeaseId()];
  await row(allowed, 'toxiproxy.latency', 'proxy-1');
  await row(command, '/bin/sh -c "touch /tmp/forged"', 'proxy-1');
  await row(elsewhere, 'toxiproxy.latency', 'production');
  await row('../../escape', 'toxiproxy.latency', 'proxy-1');
  const lease = await inject({ ...LATENCY, target: 'proxy-3' });
  const open = async () =>
    (
      await platform.query<{ id: string }>('select id from chronawflow.fault_lease where ended_at is null')
    ).rows.map(({ id }) => id);
  await until(async () => !(await open()).includes(allowed), { what: 'the allowed one to be ended' });
  for (const id of [command, elsewhere])
    await until(
      async () =>
        (await host.journal.find(id)) !== undefined && (await host.journal.failure(id)) !== undefined,
      { what: 'the ones that are not allowed to be tried' },
    );
  expect(await open()).toEqual(expect.arrayContaining([command, elsewhere, '../../escape']));
  expect(readdirSync(stage.directory)).not.toContain('escape');
  expect(readdirSync(host.journal.directory).sort()).toEqual(
    expect.not.arrayContaining([expect.stringContaining('escape')]),
  );
  await platform.query(`update chronawflow.fault_lease set ended_at = now() where experiment = 'forged'`);
  // Else one that had looked before could take them up once more.
  await killChaosProcesses(stage.configFile);
  for (const id of [command, elsewhere])
    await rename(join(host.journal.directory, 'leases', id), join(stage.directory, id));
  await rollBack(stage.host, lease);
}, 300_000);

test('a lease that is taken up by a guard which had looked before it ended does not stay', async () => {
  const { journal } = stage.host;
  const lease = await inject(LATENCY);
  await rollBack(stage.host, lease);
  await journal.open({ ...lease, deadlineMs: lease.createdMs });
  await until(async () => !(await journal.isOpen(lease.id)), { what: 'it to be ended again' });
  expect((await journal.ended(lease.id))?.reason).toBe('rolled-back');
}, 300_000);

test('a fault that has gone with its target is closed by hand in the journal, and then in the control plane', async () => {
  const lease = await inject(LATENCY);
  const { directory } = stage.host.journal;
  const place = join(directory, 'leases', lease.id);
  await writeFile(join(place, 'ended.json'), '{"endedMs":0,"by":"ada","reason":"aborted"}');
  await rename(place, join(directory, 'ended', lease.id));
  const closed = `select ended_by from chronawflow.fault_lease where id = $1 and ended_at is not null`;
  await until(async () => (await stage.platform.query(closed, [lease.id])).rows[0]?.ended_by === 'ada', {
    what: 'the control plane to hear of it',
  });
  const toxic = `${stage.toxiproxy.url}/proxies/proxy-1/toxics/chaos-${lease.id}`;
  expect((await fetch(toxic, { method: 'DELETE' })).status).toBe(204);
}, 300_000);

test('the big red button works with the control plane away, and says what it could not reach', async () => {
  const lease = await inject(LATENCY);
  await stage.controlPlane.halt('immediate');
  try {
    const report = await abortAll(stage.host, 'test');
    expect(report).toMatchObject({ ended: [lease.id], remaining: [], askedElsewhere: undefined });
    expect(await findFault(stage, lease)).toBeUndefined();
  } finally {
    await stage.controlPlane.start();
  }
  // What the guards close when the control plane is back.
  await until(async () => (await stage.host.store?.active())?.length === 0, {
    what: 'the control plane to hear of it',
  });
}, 300_000);
