import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { applyMigrations } from '../../database';
import { transitionWorkflowId } from '../../workflows/degradation-contract';
import { DegradationStage, QUICK } from '../support/degradation-stage';
import { until } from '../support/until';
import { type Ground, startGround } from '../workflow/support/workflow-run';

const ROOT = join(__dirname, '..', '..');
const CONTROL = join(ROOT, 'dist', 'workers', 'control.js');

/** How long the control plane and Temporal are away; longer by `CHRONAWFLOW_FAULT_OUTAGE_MS`, 180,000 for minutes. */
const OUTAGE_MS = Number(process.env.CHRONAWFLOW_FAULT_OUTAGE_MS ?? 0);

let ground: Ground;
let stage: DegradationStage;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  await Promise.all([
    promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]),
    startGround().then((started) => {
      ground = started;
    }),
  ]);
  await applyMigrations(ground.platform, 'application').catch(() => undefined);
}, 400_000);
afterAll(() => ground?.stop());
afterEach(async () => {
  for (const child of children) await kill(child);
  await stage?.stop();
});

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** The controllers as a process of their own, which can be killed. */
async function startProcess(at: DegradationStage): Promise<ChildProcess> {
  const configFile = join(ground.temporal.directory, 'control.yaml');
  await writeFile(configFile, stringify(at.raw));
  const child = spawn(process.execPath, [CONTROL, '--metrics-port', '0'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, CHRONAWFLOW_CONFIG: configFile },
  });
  children.add(child);
  return child;
}

const changes = async () =>
  (
    await ground.platform.query<{ version: number; from: number; to: number }>(
      `select (details ->> 'version')::int as version, (details ->> 'from')::int as from, (details ->> 'to')::int as to
       from chronawflow.audit_event where action in ('degradation.escalation', 'degradation.recovery')
       order by (details ->> 'version')::int`,
    )
  ).rows;

test('a controller that is killed in the middle of a change: another one ends it, and nothing is done twice', async () => {
  stage = new DegradationStage(ground, { ...QUICK, dwell: '3s' });
  const seen = { 'error-rate': 0 };
  let broken = true;
  await stage.follow('web', seen);
  // The change cannot be over before this process has taken it.
  await stage.follow(
    'search',
    {},
    {
      components: {
        index: ({ name }) => {
          if (broken && name !== 'normal') throw new Error('the index is locked');
        },
      },
    },
  );
  const first = await startProcess(stage);
  await stage.watched();
  seen['error-rate'] = 0.2;
  await stage.reached('limited');
  const change = ground.client.workflow.getHandle(transitionWorkflowId('platform', 1));
  await until(async () => (await change.describe()).status.name === 'RUNNING', { limitMs: 180_000 });
  await kill(first);
  seen['error-rate'] = 0.5;
  broken = false;
  await startProcess(stage);
  await stage.reached('core-only');
  await expect(change.result()).resolves.toMatchObject({
    outcome: expect.stringMatching(/applied|superseded/),
  });
  seen['error-rate'] = 0;
  await stage.reached('normal');
  expect(await changes()).toEqual([
    { version: 1, from: 0, to: 2 },
    { version: 2, from: 2, to: 3 },
    { version: 3, from: 3, to: 2 },
    { version: 4, from: 2, to: 1 },
    { version: 5, from: 1, to: 0 },
  ]);
}, 400_000);

test(
  'with the control plane away processes keep their level, and everything goes on when it is back',
  async () => {
    stage = new DegradationStage(ground, { ...QUICK, silentAfter: '2s' });
    const seen = { 'error-rate': 0.2 };
    const web = await stage.follow('web', seen);
    await stage.startControl();
    await stage.reached('limited');
    await ground.postgres.halt('immediate');
    try {
      seen['error-rate'] = 0;
      await until(() => web.silentForMs > Math.max(2_500, OUTAGE_MS), {
        limitMs: 180_000 + OUTAGE_MS,
        what: 'the silence to be noticed',
      });
      expect([web.level(), web.allows('reports'), web.allows('sign-in')]).toEqual(['limited', false, true]);
      const late = await stage.follow('late');
      expect(late.level()).toBe('normal');
      await stage.leave(late);
    } finally {
      await ground.postgres.start();
    }
    await stage.reached('normal');
    expect(web.silentForMs).toBeLessThan(30_000);
  },
  400_000 + OUTAGE_MS,
);

test(
  'with Temporal away processes keep their level and know that nobody watches; then the controller goes on',
  async () => {
    stage = new DegradationStage(ground, { ...QUICK, silentAfter: '2s' });
    const seen = { 'error-rate': 0.06 };
    const web = await stage.follow('web', seen);
    await stage.startControl();
    await stage.reached('reduced');
    await ground.temporal.kill();
    try {
      seen['error-rate'] = 0.5;
      await until(() => web.silentForMs > Math.max(3_000, OUTAGE_MS), {
        limitMs: 180_000 + OUTAGE_MS,
        what: 'the silence to be noticed',
      });
      expect(web.level()).toBe('reduced');
    } finally {
      await ground.temporal.start();
    }
    await stage.reached('core-only');
  },
  400_000 + OUTAGE_MS,
);

test('a signal that flaps faster than the dwell holds the level', async () => {
  stage = new DegradationStage(ground, { ...QUICK, dwell: '8s' });
  let ticks = 0;
  // In three reports, because the controller may look at every second one: a server's timers end at whole seconds.
  const flapping = () => {
    ticks += 1;
    return [{ signal: 'error-rate', value: ticks % 3 === 0 ? 0 : 0.2 }];
  };
  const web = await stage.follow('web', {}, { signals: [flapping] });
  await stage.startControl();
  await stage.reached('limited');
  const before = ticks;
  await until(() => ticks >= before + 20, { limitMs: 180_000, what: 'twenty more reports' });
  expect(web.level()).toBe('limited');
  expect((await stage.status()).state?.version).toBe(1);
}, 400_000);
