import { join } from 'node:path';
import { freePort, runProgram } from '../../core/cluster';
import { packageRoot } from '../../core/local-stack';
import type { EscalationStatus } from '../../workflows/escalation-contract';
import { startAlertmanager } from '../support/alertmanager';
import { CleanUp } from '../support/clean-up';
import { openContainmentScene, startContainmentStage } from '../support/containment-scene';
import type { JobStage } from '../support/job-stage';
import { type PageSink, startPageSink } from '../support/page-sink';
import { until } from '../support/until';

const TOKEN = 'a-token-of-this-test';
const LONG = '10m';

let stage: JobStage;
let cleanUp: CleanUp;
let sink: PageSink;
beforeAll(async () => {
  stage = await startContainmentStage();
}, 240_000);
afterAll(() => stage?.stop());
beforeEach(async () => {
  cleanUp = new CleanUp();
  sink = await startPageSink(cleanUp);
});
afterEach(async () => {
  await cleanUp.run();
  await stage.platform.query(
    'truncate chronawflow.escalation, chronawflow.escalation_page, chronawflow.escalation_silence',
  );
}, 240_000);

async function open(after: string, more: object = {}) {
  const port = await freePort();
  const scene = await openContainmentScene(stage, cleanUp, {
    escalation: {
      levels: [
        {
          level: 1,
          notify: [
            { kind: 'webhook', url: `${sink.url}/team`, token: 'team-token' },
            { kind: 'email', to: ['team@example.org'] },
          ],
        },
        { level: 2, notify: [{ kind: 'webhook', url: `${sink.url}/sre` }] },
        { level: 4, notify: [{ kind: 'pagerduty', url: `${sink.url}/pd`, routingKey: 'key-of-the-cto' }] },
      ],
      smtp: { host: '127.0.0.1', port: sink.smtpPort, from: 'alerts@example.org' },
      severities: { critical: { after } },
      repeats: 1,
      receiver: { port, token: TOKEN },
      ...more,
    },
  });
  const { cf, configFile, startControl } = scene;
  // Of this test alone: escalations of others may still be under way.
  const raise = (name: string, labels: Record<string, string> = { alertname: 'Down' }) =>
    cf.escalation.raise({
      fingerprint: `${name}-${port}`,
      severity: 'critical',
      summary: `${name} is down`,
      runbook: 'https://example.org/runbook#down',
      labels,
    });
  const only = async () => {
    const [one, ...others] = await cf.escalation.list({ all: true });
    expect(others).toEqual([]);
    return one;
  };
  /** The team's page is in the sink a moment before it is noted as sent: only then is the team told of an end, too. */
  const teamTold = async () => {
    await told(['/team']);
    await until(
      async () =>
        (await only())?.pages.some(({ kind, state }) => kind === 'webhook' && state === 'sent') === true,
      { what: 'the page to be noted as sent' },
    );
  };
  return { cf, configFile, startControl, raise, only, teamTold, port };
}

const told = (expected: readonly string[], limitMs = 60_000) =>
  until(() => sink.told().join() === expected.join(), {
    limitMs,
    what: `${expected.join(', ')} instead of ${sink.told().join(', ')}`,
  });

test('goes up level by level, and ends with the highest told again (invariant 4)', async () => {
  const { startControl, raise, only } = await open('8s');
  await startControl();
  await raise('bank');
  await until(async () => (await only())?.state === 'unanswered', { limitMs: 120_000 });
  expect(sink.told()).toEqual(['/team', '/sre', '/pd', '/pd']);
  expect(sink.pages[0]?.headers.authorization).toBe('Bearer team-token');
  expect(sink.pages[0]?.body).toMatchObject({ event: 'page', level: 1, levelName: 'team' });
  expect(sink.pages[2]?.body).toMatchObject({
    routing_key: 'key-of-the-cto',
    event_action: 'trigger',
    payload: { summary: 'bank is down', severity: 'critical' },
    links: [{ href: 'https://example.org/runbook#down' }],
  });
  expect(sink.mails).toHaveLength(1);
  expect(sink.mails[0]).toMatch(/^To: team@example.org$/m);
  expect(sink.mails[0]).toContain('Runbook: https://example.org/runbook#down');
  expect((await only())?.level).toBe(4);
}, 240_000);

test('nobody more is told once the command line has acknowledged it (invariant 5)', async () => {
  const { startControl, raise, only, teamTold, configFile } = await open(LONG);
  await startControl();
  await raise('bank');
  await teamTold();
  const id = (await only())?.id ?? '';
  const cli = join(packageRoot(), 'dist', 'client', 'cli', 'main.js');
  const run = (...args: string[]) =>
    runProgram(process.execPath, [cli, 'escalation', ...args, '--config', configFile]);
  expect((await run('ack', id, '--as', 'ada')).stdout).toContain('Taken by ada');
  await told(['/team', '/team:acknowledged']);
  expect((await run('list')).stdout).toContain('acknowledged');
  const { rows } = await stage.platform.query(
    `select action, actor, request, run from chronawflow.audit_event where object = $1 order by at`,
    [id],
  );
  const { workflowId, runId } = await stage.describe(rows[0]?.request);
  const asked = { request: workflowId, run: runId };
  expect(rows).toContainEqual(expect.objectContaining({ action: 'escalation.open', ...asked }));
  expect(rows).toContainEqual({ action: 'escalation.acknowledged', actor: 'ada', ...asked });
}, 240_000);

test('whose page has arrived but not been answered is told of the end, too (invariant 5)', async () => {
  const { cf, startControl, raise, only } = await open(LONG);
  sink.answers.set('/team', 'hang');
  await startControl();
  await raise('bank');
  await told(['/team']);
  sink.answers.delete('/team');
  await cf.escalation.acknowledge((await only())?.id ?? '', { as: 'ada' });
  await until(() => sink.told().includes('/team:acknowledged'), { what: 'the team to be told' });
}, 240_000);

test('what is taken and not resolved is raised again (invariant 5)', async () => {
  const { cf, startControl, raise, only, teamTold } = await open(LONG, { acknowledgedFor: '2s' });
  await startControl();
  await raise('bank');
  await teamTold();
  await cf.escalation.acknowledge((await only())?.id ?? '', { as: 'ada' });
  await told(['/team', '/team:acknowledged', '/team']);
}, 240_000);

test('a level that nobody of can be told does not wait (invariants 2 and 4)', async () => {
  const { startControl, raise, only } = await open(LONG, {
    smtp: { host: '127.0.0.1', port: 9, from: 'a@example.org' },
    levels: [
      { level: 1, notify: [{ kind: 'webhook', url: `${sink.url}/gone`, token: 'secret-token' }] },
      { level: 2, notify: [{ kind: 'webhook', url: `${sink.url}/busy` }] },
    ],
  });
  sink.answers.set('/gone', 404);
  sink.answers.set('/busy', 503);
  await startControl();
  await raise('bank');
  await until(() => sink.told().includes('/busy'), { limitMs: 60_000 });
  sink.answers.delete('/busy');
  await until(async () => (await only())?.pages.some(({ state }) => state === 'sent') === true, {
    limitMs: 60_000,
  });
  const pages = (await only())?.pages ?? [];
  expect(pages.map(({ level, state }) => `${level} ${state}`)).toEqual(['1 failed', '2 sent']);
  expect(JSON.stringify(await only())).not.toContain('secret-token');
  expect(sink.told().filter((path) => path === '/gone')).toHaveLength(1);
}, 240_000);

test('a silenced alert pages nobody until the silence ends (invariant 6)', async () => {
  const { cf, startControl, raise } = await open(LONG);
  await startControl();
  await cf.escalation.silence({
    labels: { alertname: 'Down', service: 'tax' },
    forMs: 600_000,
    reason: 'migration',
  });
  const silence = (await cf.escalation.silences())[0];
  await raise('bank', { alertname: 'Down', service: 'tax' });
  await raise('other', { alertname: 'Down', service: 'bank' });
  await told(['/team']);
  expect(sink.pages[0]?.body).toMatchObject({ alert: { summary: 'other is down' } });
  const bank = async () => (await cf.escalation.list()).find(({ summary }) => summary.startsWith('bank'));
  await until(async () => (await bank()) !== undefined, { what: 'the silenced one to be written down' });
  const { workflowId = '' } = (await bank()) ?? {};
  await until(async () => (await stage.query<EscalationStatus>(workflowId, 'status')).silenced, {
    what: 'the silence to be seen',
  });
  expect((await bank())?.pages).toEqual([]);
  await cf.escalation.endSilence(silence?.id ?? '', 'ada');
  expect(await cf.escalation.silences()).toEqual([]);
  // Ended before its time: found at the next look.
  await told(['/team', '/team'], 120_000);
}, 300_000);

test('a short silence delays the page (invariant 6)', async () => {
  const { cf, startControl, raise } = await open(LONG);
  await cf.escalation.silence({ labels: { alertname: 'Down' }, forMs: 3_000, reason: 'migration' });
  await startControl();
  await raise('bank');
  await told(['/team']);
  expect(await cf.escalation.silences()).toEqual([]);
}, 240_000);

test('a controller that is killed loses no page, and doubles only the one it was sending (invariants 2 and 3)', async () => {
  const { startControl, raise, only } = await open('6s', {
    levels: [
      { level: 1, notify: [{ kind: 'webhook', url: `${sink.url}/team` }] },
      { level: 2, notify: [{ kind: 'webhook', url: `${sink.url}/sre` }] },
    ],
    severities: { critical: { after: '15s' } },
    repeats: 0,
  });
  sink.answers.set('/sre', 'hang');
  const first = await startControl();
  await raise('bank');
  await told(['/team']);
  await until(async () => (await only())?.pages[0]?.state === 'sent', {
    what: 'the page to be noted as sent',
  });
  await first.kill();
  const second = await startControl();
  // Level 1 was told, and is not told again; level 2's turn comes by the workflow's own timer, and it may be tried again already.
  await until(() => sink.told().includes('/sre'), { what: 'level 2 to be told' });
  await second.kill();
  sink.answers.delete('/sre');
  await startControl();
  await until(async () => (await only())?.pages[1]?.state === 'sent', {
    limitMs: 120_000,
    what: 'the page to be sent',
  });
  const keys = sink.pages
    .filter(({ path }) => path === '/sre')
    .map(({ headers }) => headers['idempotency-key']);
  expect(keys.length).toBeGreaterThanOrEqual(2);
  expect(new Set(keys).size).toBe(1);
  expect(sink.told().filter((path) => path === '/team')).toHaveLength(1);
}, 300_000);

test('Alertmanager’s webhook is taken with its token, told once, and resolved (invariant 1)', async () => {
  const { startControl, port } = await open(LONG);
  await startControl();
  const url = `http://127.0.0.1:${port}/alertmanager`;
  const post = (body: string, token?: string) =>
    fetch(url, {
      method: 'POST',
      body,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  expect((await post('{}')).status).toBe(401);
  expect((await post('{}', 'another')).status).toBe(401);
  expect((await post('{}', TOKEN)).status).toBe(400);
  expect((await post('no json', TOKEN)).status).toBe(400);
  expect((await fetch(url)).status).toBe(405);

  const alertmanager = await startAlertmanager(cleanUp, { url, token: TOKEN });
  const labels = { alertname: 'ChronawflowBreakerOpen', severity: 'critical', service: 'tax' };
  const annotations = {
    summary: 'The breaker of tax is open',
    runbook_url: 'docs/incident-response/alerts.md#x',
  };
  await alertmanager.post(labels, { annotations });
  await alertmanager.post({ ...labels, alertname: 'Info', severity: 'info' });
  await told(['/team']);
  // Told again every second: it is the same alert.
  const noted = async () =>
    (
      await stage.platform.query<{ what: string }>(
        `select summary || ': ' || state as what from chronawflow.escalation order by summary`,
      )
    ).rows.map(({ what }) => what);
  const expected = ['Info: noted', 'The breaker of tax is open: open'];
  await until(async () => (await noted()).join() === expected.join(), { what: expected.join(' and ') });
  expect(sink.pages[0]?.body).toMatchObject({
    alert: {
      labels: { service: 'tax' },
      runbook: 'docs/incident-response/alerts.md#x',
      source: 'alertmanager',
    },
  });
  const { rows: under } = await stage.platform.query<{ workflow_id: string }>(
    `select workflow_id from chronawflow.escalation where severity = 'critical'`,
  );
  const workflowId = under[0]?.workflow_id ?? '';
  await until(async () => (await stage.query<EscalationStatus>(workflowId, 'status')).times > 1, {
    limitMs: 60_000,
    what: 'Alertmanager to tell again',
  });
  expect(sink.told()).toEqual(['/team']);
  await alertmanager.post(labels, { annotations, endsAt: new Date(Date.now() - 1_000).toISOString() });
  await told(['/team', '/team:resolved']);
  await until(
    async () => {
      const { rows } = await stage.platform.query<{ state: string; times: number }>(
        `select state, times from chronawflow.escalation where severity = 'critical'`,
      );
      return rows.length === 1 && rows[0]?.state === 'resolved' && rows[0].times > 1;
    },
    { limitMs: 60_000, what: 'the escalation to be resolved' },
  );
}, 300_000);
