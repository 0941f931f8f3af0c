import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import {
  type CodecServer,
  CodecService,
  createPayloadCodec,
  type MayDecode,
  serveCodec,
  tokenAuthority,
} from '../../core/payload-codec';
import { CleanUp } from '../support/clean-up';
import { until } from '../support/until';
import { type SecretiveStage, startSecretiveStage } from './support/secretive-stage';
import { type listener, parent, say } from './support/secretive-workflows';

const SECRET = 'Ada-Lovelace-1815';
const ORIGIN = 'http://temporal.example';

let stage: SecretiveStage;
let server: CodecServer;
const cleanUp = new CleanUp();
const refusedByRegistry = new Set<string>();

beforeAll(async () => {
  stage = await startSecretiveStage();
  cleanUp.add(() => stage.stop());
  cleanUp.add(await stage.startWorker());
  server = await serve();
  await stage.client.workflow.execute(parent, {
    ...{ workflowId: 'job/t1/parent/1', taskQueue: stage.taskQueue },
    args: [SECRET, 0],
  });
}, 240_000);
afterAll(() => cleanUp.run(), 120_000);

async function serve(mayDecode?: MayDecode, audit = true): Promise<CodecServer> {
  const { namespace } = stage.temporal;
  const codec = createPayloadCodec(stage.payloads, stage.platform, { namespace, side: 'client' });
  const token = (operator: string, tenants?: string[]) => ({
    operator,
    sha256: createHash('sha256').update(`token-of-${operator}`).digest('hex'),
    tenants,
  });
  const tokens = [token('grace'), token('heinz', ['t1']), token('other', ['t2'])];
  const one = await serveCodec(
    new CodecService(codec, stage.platform, audit),
    tokenAuthority({ tokens }, mayDecode),
    { port: 0, host: '127.0.0.1', origin: ORIGIN, namespace, onError: () => undefined },
  );
  cleanUp.add(() => one.close());
  return one;
}

const at = (path: string, { port }: CodecServer = server) => `http://127.0.0.1:${port}${path}`;

/** The input of the run as it is stored, in the form in which the Web UI sends it. */
async function stored() {
  const { history } = await stage.plain.workflowService.getWorkflowExecutionHistory({
    namespace: stage.temporal.namespace,
    execution: { workflowId: 'job/t1/parent/1' },
  });
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  return payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
    data: Buffer.from(data ?? []).toString('base64'),
  }));
}

async function ask(
  path: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
  to: CodecServer = server,
): Promise<{ status: number; text: string; headers: Headers }> {
  const answer = await fetch(at(path, to), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

const as = (operator: string) => ({ authorization: `Bearer token-of-${operator}` });
const base64 = (text: string) => Buffer.from(text).toString('base64');
const events = async () =>
  (
    await stage.platform.query(
      `select actor, tenant, outcome from chronawflow.audit_event where action = 'payload.decode' order by at`,
    )
  ).rows;

const temporal = (...args: string[]) =>
  promisify(execFile)(stage.temporal.cli, [...args, '--address', stage.temporal.address]);

test('Temporal’s own command line shows decrypted payloads to who has a token, and to nobody else', async () => {
  const show = ['workflow', 'show', '--workflow-id', 'job/t1/parent/1', '--output', 'json'];
  expect((await temporal(...show)).stdout).not.toContain(base64(JSON.stringify(SECRET)));
  const decoding = [...show, '--codec-endpoint', at(''), '--codec-auth'];
  expect((await temporal(...decoding, 'Bearer token-of-heinz')).stdout).toContain(
    base64(JSON.stringify(SECRET)),
  );
  expect(await events()).toContainEqual({ actor: 'heinz', tenant: 't1', outcome: 'ok' });
  // It asks again and again until its own limit, and on a busy machine may not have come to ask by then.
  const refused = (token: string) =>
    expect(temporal(...decoding, `Bearer ${token}`, '--command-timeout', '3s')).rejects.toThrow();
  await refused('wrong');
  await until(
    async () => {
      await refused('token-of-other');
      return (await events()).some(({ actor }) => actor === 'other');
    },
    { what: 'the refusal to be in the audit log' },
  );
  expect(await events()).toContainEqual({ actor: 'other', tenant: 't1', outcome: 'PAYLOAD_DECODE_REFUSED' });
});

test('Temporal’s own command line starts a workflow whose input is encrypted on the way', async () => {
  await temporal(
    ...[
      'workflow',
      'start',
      '--workflow-id',
      'job/t1/listener/9',
      '--type',
      'listener',
      '--task-queue',
      stage.taskQueue,
    ],
    ...[
      '--input',
      JSON.stringify(SECRET),
      '--codec-endpoint',
      at(''),
      '--codec-auth',
      'Bearer token-of-heinz',
    ],
    ...['--codec-header', 'X-Chronawflow-Tenant=t1'],
  );
  const handle = stage.client.workflow.getHandle<typeof listener>('job/t1/listener/9');
  await handle.signal(say, 'end');
  expect(await handle.result()).toEqual([SECRET, 'end']);
  expect(await stage.allThatIsStored('job/t1/listener/9')).not.toContain(SECRET);
});

test('a decoded payload is the one that was encrypted; what is not encrypted comes back as it is', async () => {
  const plain = { metadata: { encoding: base64('json/plain') }, data: base64('1') };
  const { status, text } = await ask('/decode', as('grace'), { payloads: [...(await stored()), plain] });
  expect(status).toBe(200);
  const [first, , last] = JSON.parse(text).payloads;
  expect(Buffer.from(first.data, 'base64').toString()).toBe(JSON.stringify(SECRET));
  expect(first.metadata).toEqual({ encoding: base64('json/plain') });
  expect(last).toEqual(plain);
});

test.each([
  ['no token', {}, 401],
  ['an unknown token', { authorization: 'Bearer x' }, 401],
  ['another tenant’s operator', as('other'), 403],
  [
    'another page with the cookie of somebody who may',
    { cookie: 'chronawflow-codec=token-of-grace', origin: 'http://evil.example' },
    403,
  ],
  ['another namespace', { ...as('grace'), 'x-namespace': 'elsewhere' }, 400],
])('%s gets nothing', async (_, headers, status) => {
  const answer = await ask('/decode', headers, { payloads: await stored() });
  expect(answer.status).toBe(status);
  expect(answer.text).not.toContain(base64(JSON.stringify(SECRET)));
  expect(answer.text).not.toContain('token-of');
});

test.each(['', '{', '[]', '{"payloads":[{"data":"%%"}]}', '{"payloads":1}'])(
  'a body such as %j is refused',
  async (body) => {
    expect((await ask('/decode', as('grace'), body)).status).toBe(400);
  },
);

test('a body without end is cut off', async () => {
  const answer = ask('/decode', as('grace'), 'x'.repeat(17 * 1024 * 1024)).then(
    ({ status }) => status,
    () => 'cut off',
  );
  expect([400, 'cut off']).toContain(await answer);
});

test('a payload that was tampered with is an error, not a text', async () => {
  const payloads = await stored();
  const data = Buffer.from(payloads[0]?.data ?? '', 'base64');
  data.writeUInt8(data.readUInt8(20) ^ 1, 20);
  const answer = await ask('/decode', as('grace'), {
    payloads: [{ ...payloads[0], data: data.toString('base64') }],
  });
  expect(answer).toMatchObject({ status: 500, text: expect.stringContaining('PAYLOAD_DAMAGED') });
});

describe('a browser', () => {
  const preflight = (origin: string) =>
    fetch(at('/decode'), { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });

  test('lets the Web UI ask, and no other page', async () => {
    const allowed = await preflight(ORIGIN);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(allowed.headers.get('access-control-allow-headers')).toMatch(/authorization.*x-namespace/);
    for (const origin of [`${ORIGIN}.evil.example`, 'null', `${ORIGIN}:81`]) {
      const refused = await preflight(origin);
      expect(refused.status).toBe(403);
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('that has signed in needs no token in the Web UI', async () => {
    const login = (token: string) =>
      fetch(at('/login'), { method: 'POST', body: new URLSearchParams({ token }) });
    expect((await login('wrong')).status).toBe(401);
    const cookie = (await login('token-of-heinz')).headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly; Secure; SameSite=None/);
    const headers = { cookie: cookie.split(';')[0] ?? '', origin: ORIGIN };
    expect((await ask('/decode', headers, { payloads: await stored() })).status).toBe(200);
    expect(await (await fetch(at('/'))).text()).toContain('<form');
  });
});

test('whoever the registry of operators has revoked sees nothing from then on', async () => {
  const asked: (string | undefined)[] = [];
  const strict = await serve(async (operator) => (tenant) => {
    asked.push(tenant);
    return !refusedByRegistry.has(operator);
  });
  const decode = async () => (await ask('/decode', as('grace'), { payloads: await stored() }, strict)).status;
  expect(await decode()).toBe(200);
  refusedByRegistry.add('grace');
  expect(await decode()).toBe(403);
  expect(new Set(asked)).toEqual(new Set(['t1']));
});

test('nothing is decrypted that cannot be written into the audit log', async () => {
  await stage.platform.query(`alter table chronawflow.audit_event rename to away`);
  try {
    const answer = await ask('/decode', as('grace'), { payloads: await stored() });
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain(base64(JSON.stringify(SECRET)));
    const unaudited = await serve(undefined, false);
    expect((await ask('/decode', as('grace'), { payloads: await stored() }, unaudited)).status).toBe(200);
  } finally {
    await stage.platform.query(`alter table chronawflow.away rename to audit_event`);
  }
});
