import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { applyMigrations } from '../../database';
import { DegradationStage, QUICK } from '../support/degradation-stage';
import { until } from '../support/until';
import { type Ground, startGround } from '../workflow/support/workflow-run';

const ROOT = join(__dirname, '..', '..');
const MAIN = join(ROOT, 'dist', 'client', 'cli', 'main.js');

// Each command is a process, and they run one after the other.
jest.setTimeout(300_000);

let ground: Ground;
let stage: DegradationStage;
let configFile: string;

beforeAll(async () => {
  await Promise.all([
    promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]),
    startGround().then((started) => {
      ground = started;
    }),
  ]);
  const application = await ground.postgres.createDatabase('application');
  await applyMigrations(application, 'application');
  // A machine that is busy for a while makes nobody silent here.
  stage = new DegradationStage(ground, { ...QUICK, dwell: '10m', silentAfter: '60s' });
  configFile = join(ground.temporal.directory, 'degradation.yaml');
  const raw = {
    ...stage.raw,
    application: { ...Object(stage.raw.application), database: ground.postgres.connection('application') },
  };
  await writeFile(configFile, stringify(raw));
  await stage.follow('web', { 'error-rate': 0.06 });
  await stage.startControl();
  await stage.reached('reduced');
  // A level is applied before the look that asked for it is recorded, and the way back is told from that record.
  await stage.watched();
  const behind = async () => (await stage.store.acknowledged('platform', 1, 60_000)).stragglers;
  await until(async () => (await behind()).length === 0, {
    limitMs: 60_000,
    what: 'every process to acknowledge',
  });
}, 240_000);
afterAll(async () => {
  await stage?.stop();
  await ground?.stop();
});

async function cli(
  ...args: string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const env = { ...process.env, CHRONAWFLOW_CONFIG: configFile, NO_COLOR: '1' };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...args], { env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = Object(error);
    return { code, out: stdout, err: stderr };
  }
}

test('status shows the level, why, since when, what is off and what would bring it back', async () => {
  const { out, code } = await cli('degradation', 'status');
  expect(code).toBe(0);
  expect(out).toMatch(/platform\s+reduced/);
  expect(out).toMatch(/why\s+error-rate is 0\.06, at or above 0\.05/);
  expect(out).toMatch(/since\s+20\d\d-/);
  expect(out).toMatch(/off\s+exports/);
  expect(out).toMatch(/comes back\s+a dwell after error-rate is at most 0\.02 \(now 0\.06\)/);
  const { scopes } = JSON.parse((await cli('degradation', 'status', '--json')).out);
  expect(scopes).toMatchObject([{ scope: 'platform', level: 'reduced', watched: true, stragglers: [] }]);
});

test('one screen tells every part, and says of one that is away that it is', async () => {
  const { out, code } = await cli('status');
  expect(code).toBe(0);
  expect(out).toMatch(/platform\s+reduced/);
  expect(out).toMatch(/Breakers\s+all closed/);
  expect(out).toMatch(/Queues\s+0 wait/);
  // There is no repository of backups here.
  expect(out).toMatch(/RPO, RTO\s+cannot be told: /);
  expect(out).toMatch(/Last drill\s+none yet/);
  expect(out).toMatch(/Audit seal\s+nothing was ever sealed/);
});

test('a level is set by hand, shown with who and until when, and given back', async () => {
  const set = await cli(
    'degradation',
    'set',
    'core-only',
    '--for',
    '1h',
    '--reason',
    'practice',
    '--as',
    'ada',
  );
  expect(set.out).toMatch(/^Set: core-only for 1h, version \d+\.\n$/);
  await stage.reached('core-only');
  expect((await cli('degradation', 'status')).out).toMatch(/set by\s+ada, until 20\d\d-/);
  expect((await cli('degradation', 'release', '--reason', 'over', '--as', 'ada')).out).toContain(
    'decides again',
  );
  expect((await cli('degradation', 'read-only', '--for', '1h', '--reason', 'move')).code).toBe(0);
  expect((await cli('degradation', 'writable', '--reason', 'moved')).code).toBe(0);
});

test.each([
  [
    'a level that is none',
    ['set', 'panic', '--for', '1h', '--reason', 'x'],
    2,
    /INVALID_INPUT.*There is no level 'panic'/s,
  ],
  ['no time', ['set', 'reduced', '--for', 'soon', '--reason', 'x'], 2, /INVALID_INPUT/],
  ['no reason', ['set', 'reduced', '--for', '1h'], 2, /reason/],
  [
    'a scope that is none',
    ['release', '--reason', 'x', '--scope', 'tier/gold'],
    2,
    /There is no scope 'tier\/gold'/,
  ],
  ['a file that is not there', ['simulate', '/no/samples.csv'], 2, /cannot be read/],
])('%s is refused', async (_, args, code, message) => {
  const answer = await cli('degradation', ...args);
  expect(answer.code).toBe(code);
  expect(answer.err).toMatch(message);
});

test('a recorded series is replayed against the policy', async () => {
  const file = join(ground.temporal.directory, 'samples.csv');
  const rows = Array.from({ length: 40 }, (_, nth) => `${nth / 2},error-rate,a,${nth < 10 ? 0.2 : 0}`);
  await writeFile(file, ['time,signal,instance,value', ...rows].join('\n'));
  const { out } = await cli('degradation', 'simulate', file, '--policy', configFile);
  expect(out).toContain('40 samples of 1 instances');
  expect(out).toContain('█');
  const { levels } = JSON.parse(
    (await cli('degradation', 'simulate', file, '--policy', configFile, '--json')).out,
  );
  expect(levels).toMatchObject([{ level: 'limited', direction: 'escalation' }]);
});
