import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { parse, stringify } from 'yaml';
import { Chronawflow } from '../../client';
import { packageRoot } from '../../core/local-stack';
import { invoiceRun, seededRandom, seedOrganisation } from '../../examples/accubooks';
import { JobWorker } from './job-worker';
import { heading, line } from './narrate';

const CUSTOMERS = 1_000;
const ISSUED_ON = '2026-11-30';
/** Pages of 50 invoices that have committed when the worker is killed. */
const PAGES_BEFORE = 4;
const LIMIT_MS = 60_000;

/** An invoice run whose worker is killed with SIGKILL in the middle: no customer is missing, none billed twice. */
export async function invoiceRunUnderFire(pool: Pool, stackConfig: string): Promise<void> {
  heading('7. The invoice run, and its worker is killed');
  const configFile = await configWithJobs(stackConfig);
  const { id } = await seedOrganisation(pool, { name: 'Dover Dental', invoices: 0 }, seededRandom(7));
  await pool.query(
    `insert into customers (organisation_id, name)
     select $1, 'Patient ' || n from generate_series(1, $2 - (
       select count(*) from customers where organisation_id = $1 and archived_at is null)::integer) n`,
    [id, CUSTOMERS],
  );
  const cf = await Chronawflow.connect({ configFile });
  let worker = await JobWorker.start(configFile);
  try {
    const request = {
      tenant: id,
      type: invoiceRun.type,
      key: '2026-11',
      input: { issuedOn: ISSUED_ON, fee: 4_900 },
    };
    const job = await cf.jobs.submit(request);
    line(`Dover Dental bills ${CUSTOMERS} customers: ${job.workflowId}`);
    await pagesPosted(pool, id, PAGES_BEFORE);
    await worker.end('SIGKILL');
    line(`kill -9 ${worker.pid}: ${(await countInvoices(pool, id)).invoices} invoices were committed`);
    worker = await JobWorker.start(configFile);
    line(`another worker runs, ${worker.pid}; the job is ${(await job.status()).state}`);
    const result = await job.result();
    const { status } = await cf.jobs.show(request);
    for (const { attempt, code } of status.errors) line(`attempt ${attempt}: ${code}`);
    line(`the job is ${status.state}: ${JSON.stringify(result)}`);
    const counted = await countInvoices(pool, id);
    line(
      `counted by plain SQL: ${counted.invoices} invoices for ${counted.customers} customers, ` +
        `${counted.missing} missing, ${counted.doubled} billed twice, ${counted.gaps} gaps in the numbers`,
    );
    await (await cf.jobs.submit(request)).result();
    line(`submitted again it is the same job: still ${(await countInvoices(pool, id)).invoices} invoices`);
    if (counted.invoices !== CUSTOMERS || counted.missing + counted.doubled + counted.gaps > 0)
      throw new Error('the invoice run did not bill every customer once');
  } finally {
    await worker.end('SIGTERM');
    await cf.close();
  }
}

/** The stack's configuration with AccuBooks' jobs; permits lapse soon, so that nobody has to wait for the demo. */
async function configWithJobs(stackConfig: string): Promise<string> {
  const config = parse(await readFile(stackConfig, 'utf8'));
  const modules = [join(packageRoot(), 'dist', 'examples', 'accubooks', 'invoice-run.js')];
  const file = join(dirname(stackConfig), 'chronawflow-jobs.yaml');
  await writeFile(file, stringify({ ...config, jobs: { modules, lease: '2s' } }), { mode: 0o600 });
  return file;
}

async function pagesPosted(pool: Pool, tenant: string, pages: number): Promise<void> {
  const limit = Date.now() + LIMIT_MS;
  for (;;) {
    const { rows } = await pool.query<{ posted: number }>(
      `select count(*)::integer as posted from chronawflow.idempotency where tenant = $1`,
      [tenant],
    );
    if ((rows[0]?.posted ?? 0) >= pages) return;
    if (Date.now() > limit) throw new Error('the invoice run does not get on');
    await sleep(5);
  }
}

interface Counted {
  readonly invoices: number;
  readonly customers: number;
  readonly missing: number;
  readonly doubled: number;
  readonly gaps: number;
}

async function countInvoices(pool: Pool, organisation: string): Promise<Counted> {
  const { rows } = await pool.query<Counted>(
    `with billed as (select customer_id, number from invoices where organisation_id = $1 and issued_on = $2)
     select count(*)::integer as invoices, count(distinct customer_id)::integer as customers,
       (select count(*) from customers c where organisation_id = $1 and archived_at is null
          and not exists (select from billed where customer_id = c.id))::integer as missing,
       (select count(*) from (select from billed group by customer_id having count(*) > 1) twice)::integer as doubled,
       coalesce(max(number) - min(number) + 1 - count(*), 0)::integer as gaps
     from billed`,
    [organisation, ISSUED_ON],
  );
  return rows[0] ?? { invoices: 0, customers: 0, missing: 0, doubled: 0, gaps: 0 };
}
