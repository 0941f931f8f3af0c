import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createPayloadCodec } from '../../core/payload-codec';
import { CleanUp } from '../support/clean-up';
import { type JobStage, rawJobConfig, startJobStage } from '../support/job-stage';
import { JobWorkerProcess } from '../support/job-worker-process';
import { makeKeyFile, payloadsConfig } from '../support/payload-keys';
import { ensureBuilt } from '../support/restore-stage-worker';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';
import { until } from '../support/until';

/** `chronawflow audit erase|hold|holds` and `chronawflow keys …` as people run them, where operators sign. */

const MAIN = join(__dirname, '..', '..', 'dist', 'client', 'cli', 'main.js');
const ADA = 'ada@example.org';

const cleanUp = new CleanUp();
let stage: JobStage;
let directory: string;

const file = (name: string) => join(directory, name);

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command with somebody's key; none without a name. */
function cli(who: string | undefined, ...args: readonly string[]): Promise<Answer> {
  const { CHRONAWFLOW_OPERATOR_KEY: _, ...inherited } = process.env;
  const env = {
    ...inherited,
    CHRONAWFLOW_CONFIG: file('chronawflow.yaml'),
    NODE_NO_WARNINGS: '1',
    NO_COLOR: '1',
    ...(who === undefined ? {} : { CHRONAWFLOW_OPERATOR_KEY: file(`${who}.key`) }),
  };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [MAIN, ...args], { env, cwd: directory }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

async function json(who: string | undefined, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await cli(who, ...args, '--json');
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return Object(JSON.parse(stdout));
}

const refused = async (code: string, who: string | undefined, ...args: readonly string[]) => {
  const answer = await cli(who, ...args);
  expect({ exit: answer.code, said: answer.stderr }).toEqual({
    exit: 3,
    said: expect.stringContaining(code),
  });
};

beforeAll(async () => {
  await ensureBuilt();
  directory = await throwawayDirectory('compliance-cli');
  cleanUp.add(() => removeDirectory(directory));
  stage = await startJobStage({ encrypted: true });
  cleanUp.add(() => stage.stop());
  await stage.app.query(
    `drop table effect;
     create table customer (id int primary key, tenant_id text not null references tenants, email text);
     insert into customer values (1, 't1', '${ADA}'), (2, 't2', '${ADA}'), (3, 't1', 'bob@example.org')`,
  );
  const base = {
    ...rawJobConfig(stage, {}, 'compliance'),
    payloads: { keyEncryptionKeys: [await makeKeyFile(directory, 'first')], keyCache: '300ms' },
    degradation: { core: ['sign-in'] },
    erasure: {
      backupRetention: '35d',
      tables: { 'public.customer': { subject: 'email', set: { email: null } } },
    },
  };
  await writeFile(file('chronawflow.yaml'), JSON.stringify(base));
  const keys = new Map<string, string>();
  for (const who of ['root', 'olga', 'carol', 'grace'])
    keys.set(
      who,
      String((await json(undefined, 'operators', 'keygen', '--out', file(`${who}.key`))).publicKey),
    );
  const operators = { administrators: { root: keys.get('root') } };
  await writeFile(file('chronawflow.yaml'), JSON.stringify({ ...base, operators }));
  const add = (who: string, ...roles: readonly string[]) =>
    json(
      'root',
      ...['operators', 'add', who, '--key', keys.get(who) ?? ''],
      ...roles.flatMap((role) => ['--role', role]),
    );
  await add('olga', 'administrator', 'approver', 'requester');
  await add('carol', 'requester:t1');
  await add('grace', 'approver');
}, 240_000);
afterAll(() => cleanUp.run());

/** Has somebody sign what a command is to do, and others consent. @returns the options to do it with */
async function consented(who: string, approvers: readonly string[], ...args: readonly string[]) {
  const name = args.slice(0, 2).join('-');
  await json(who, ...args, '--sign', file(`${name}.json`));
  const approvals: string[] = [];
  for (const approver of approvers) {
    const consent = file(`${name}-${approver}.json`);
    await json(approver, 'operators', 'approve', file(`${name}.json`), '--out', consent, '--yes');
    approvals.push('--approval', consent);
  }
  return ['--request', file(`${name}.json`), ...approvals];
}

const emails = async () =>
  (await stage.app.query<{ email: string | null }>('select email from customer order by id')).rows.map(
    ({ email }) => email,
  );

test('an erasure waits for others’ consent and for the end of a legal hold, and then takes that person of that tenant', async () => {
  const subject = ['--tenant', 't1', '--subject', ADA];
  const erase = ['audit', 'erase', ...subject, '--reason', 'request 4711'];
  await refused('INTENT_OUT_OF_SCOPE', 'carol', 'audit', 'hold', ...subject, '--reason', 'case 12');
  const { hold } = await json('olga', 'audit', 'hold', ...subject, '--reason', 'case 12');
  const { holds } = await json(undefined, 'audit', 'holds', '--tenant', 't1');
  expect(holds).toMatchObject([
    { id: hold, tenant: 't1', ofSubject: true, placedBy: 'olga', reason: 'case 12' },
  ]);
  expect(JSON.stringify(holds)).not.toContain(ADA);
  expect((await cli(undefined, 'audit', 'holds')).stdout).toContain('one person');

  await refused('APPROVALS_MISSING', 'carol', ...erase, '--yes');
  const signed = await consented('carol', ['grace'], ...erase);
  await refused('LEGAL_HOLD', 'carol', ...erase, ...signed, '--yes');
  expect(await emails()).toEqual([ADA, ADA, 'bob@example.org']);
  await json('olga', 'audit', 'hold', '--lift', String(hold), '--reason', 'case closed');
  expect(await json(undefined, 'audit', 'holds')).toEqual({ holds: [] });

  // What was consented to is this person, and no other.
  await refused(
    'INTENT_MISMATCH',
    'carol',
    ...['audit', 'erase', '--tenant', 't1', '--subject', 'bob@example.org', '--reason', 'request 4711'],
    ...[...signed, '--yes'],
  );
  const done = await cli('carol', ...erase, ...signed, '--yes');
  expect(done).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/public\.customer: 1 row\n/),
  });
  expect(await emails()).toEqual([null, ADA, 'bob@example.org']);
  expect(await cli('olga', 'audit', 'hold', '--reason', 'whom?')).toMatchObject({ code: 2 });
}, 400_000);

test('a level is signed as it is asked for, to be consented to before it is set', async () => {
  const args = ['degradation', 'set', 'limited', '--for', '1h', '--reason', 'the bank is down'];
  const { intent } = await json('olga', ...args, '--sign', file('set.json'));
  expect(JSON.parse(String(intent))).toMatchObject({
    action: 'degradation.override',
    operator: 'olga',
    parameters: { scope: 'platform', level: 'limited', forMs: 3_600_000, reason: 'the bank is down' },
  });
  await json('grace', 'operators', 'approve', file('set.json'), '--out', file('consent.json'), '--yes');
  expect(await cli('olga', ...args, '--request', file('none.json'))).toMatchObject({ code: 2 });
  expect(await cli('olga', 'degradation', 'set', 'panic', '--for', '1h', '--reason', 'x')).toMatchObject({
    code: 2,
  });
  const control = new JobWorkerProcess(file('chronawflow.yaml'), 'control');
  cleanUp.add(() => control.kill());
  await control.start();
  const level = async () => {
    const { scopes } = await json('olga', 'degradation', 'status');
    return Object(Array.from(Object(scopes))[0]).level;
  };
  const request = ['--request', file('set.json')];
  await refused('APPROVALS_MISSING', 'olga', ...args, '--as', 'olga', ...request);
  const approval = ['--approval', file('consent.json')];
  await expect(json('olga', ...args, '--as', 'olga', ...request, ...approval)).resolves.toMatchObject({
    level: 'limited',
  });
  await until(async () => (await level()) === 'limited', { what: 'the level that was set' });
  const release = ['degradation', 'release', '--as', 'olga', '--reason', 'the bank is back'];
  expect(await cli(undefined, ...release)).toMatchObject({ code: 2 });
  await json('olga', ...release);
}, 400_000);

test('keys are listed, rotated and wrapped anew, and destroyed by an administrator with another’s consent', async () => {
  const codec = createPayloadCodec(
    payloadsConfig({ keyEncryptionKeys: [{ id: 'first', file: file('first.key') }] }),
    stage.platform,
    { namespace: 'default', side: 'client' },
  );
  const secret = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"secret"') };
  await codec.encode([secret], { type: 'workflow', workflowId: 'job/t1/x/1' });
  const listed = async () => (await json(undefined, 'keys', 'list', '--tenant', 't1')).owners;
  expect(await listed()).toMatchObject([{ owner: 't1', state: 'active', keys: 1, wrappedBy: ['first'] }]);

  await refused('INTENT_OUT_OF_SCOPE', 'carol', 'keys', 'rotate', '--tenant', 't1');
  expect(
    await json('olga', 'keys', 'rotate', '--tenant', 't1', '--reason', 'a laptop was lost'),
  ).toMatchObject({
    rotated: true,
  });
  expect(await json('olga', 'keys', 'rotate', '--wrapping')).toEqual({ rewrapped: 0 });
  expect(await cli('olga', 'keys', 'rotate')).toMatchObject({ code: 2 });

  const destroy = ['keys', 'destroy', '--tenant', 't1', '--reason', 'contract ended'];
  await refused('APPROVALS_MISSING', 'olga', ...destroy, '--yes');
  // Nobody is another pair of eyes for what he asks for himself.
  const own = await consented('olga', ['olga'], ...destroy);
  await refused('APPROVALS_MISSING', 'olga', ...destroy, ...own, '--yes');
  await refused(
    'INTENT_OUT_OF_SCOPE',
    'carol',
    ...destroy,
    ...(await consented('carol', ['grace'], ...destroy)),
    '--yes',
  );
  expect(await listed()).toMatchObject([{ state: 'active', keys: 1 }]);

  const signed = await consented('olga', ['grace'], ...destroy);
  expect(await json('olga', ...destroy, ...signed, '--yes')).toMatchObject({
    tenant: 't1',
    keys: 1,
    runsEnded: 0,
  });
  expect(await listed()).toMatchObject([{ owner: 't1', state: 'destroyed', keys: 0 }]);
  const { rows } = await stage.platform.query(
    `select action, actor from chronawflow.audit_event
     where tenant = 't1' and action like 'payload-keys.%' and action <> 'payload-keys.create' order by at`,
  );
  expect(rows).toEqual([
    { action: 'payload-keys.rotate', actor: 'olga' },
    { action: 'payload-keys.close', actor: 'olga' },
    { action: 'payload-keys.destroy', actor: 'olga' },
  ]);
}, 400_000);
