import { type ChildProcess, spawn } from 'node:child_process';
import { once as happened } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { asking, type IdempotentInvoices, startIdempotentInvoices } from '../support/idempotent-invoices';
import { until } from '../support/until';

const ROOT = join(__dirname, '..', '..');

let invoices: IdempotentInvoices;
const servers: ChildProcess[] = [];

beforeAll(async () => {
  invoices = await startIdempotentInvoices();
});
afterAll(async () => {
  for (const server of servers) await end(server, 'SIGKILL');
  await invoices?.stop();
});

test('a process that is killed in the middle leaves no effect, and the request is carried out by the next one', async () => {
  const [killed, ask] = await serverProcess();
  const lost = ask('/invoices/slow', { key: '"k1"' }).then(
    () => 'answered',
    () => 'lost',
  );
  await until(
    async () =>
      (
        await invoices.pool.query(
          `select from pg_stat_activity where state = 'active' and query like 'do $$%'`,
        )
      ).rowCount === 1,
    { limitMs: 60_000, what: 'the request to be in the middle' },
  );
  await end(killed, 'SIGKILL');
  expect(await lost).toBe('lost');
  const [, again] = await serverProcess();
  await invoices.pool.query('insert into go default values');
  let last: Response | undefined;
  await until(async () => {
    last = await again('/invoices/slow', { key: '"k1"' });
    return last.status !== 409;
  });
  expect(last?.status).toBe(201);
  expect(await invoices.count()).toBe(1);
  expect(await (await again('/invoices/slow', { key: '"k1"' })).text()).toBe(await last?.text());
  const { rows } =
    await invoices.pool.query(`select tenant, details ->> 'fence' as fence from chronawflow.audit_outbox
    where action = 'idempotency.taken-over'`);
  expect(rows).toEqual([{ tenant: 'a', fence: '2' }]);
}, 300_000);

async function serverProcess(): Promise<[ChildProcess, ReturnType<typeof asking>]> {
  const child = spawn(
    process.execPath,
    ['-r', join(ROOT, 'scripts', 'register.cjs'), join(ROOT, 'test', 'support', 'idempotent-server.ts')],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, IDEMPOTENT_SERVER: JSON.stringify(invoices.connection) },
    },
  );
  servers.push(child);
  const [address] = await happened(createInterface({ input: child.stdout }), 'line');
  return [child, asking(String(address))];
}

async function end(child: ChildProcess, signal: 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = happened(child, 'exit');
  child.kill(signal);
  await exited;
}
