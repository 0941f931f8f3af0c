import type { Pool } from 'pg';
import { Chronawflow } from '../../client';
import { parseConfig } from '../../config';
import { applyMigrations } from '../../database';
import {
  ACCUBOOKS_ROLE,
  accuBooksTenancy,
  findBookErrors,
  installAccuBooks,
  invoiceRun,
  seededRandom,
  seedOrganisation,
} from '../../examples/accubooks';
import { CleanUp } from '../support/clean-up';
import { type JobStage, rawJobConfig, startJobStage, startJobWorker } from '../support/job-stage';
import { until } from '../support/until';

const cleanUp = new CleanUp();
let stage: JobStage;
let books: Pool;
let cf: Chronawflow;

beforeAll(async () => {
  stage = await startJobStage();
  cleanUp.add(() => stage.stop());
  const admin = await stage.postgres.createDatabase('books');
  await installAccuBooks(admin);
  await applyMigrations(admin, 'application');
  books = stage.postgres.connect('books', ACCUBOOKS_ROLE);
  const raw = {
    ...rawJobConfig(stage, {}, 'books'),
    application: {
      database: stage.postgres.connection('books'),
      backup: { stanza: 'none', configFile: 'none', scratchDirectory: 'scratch' },
    },
    tenancy: accuBooksTenancy,
  };
  const config = parseConfig(JSON.stringify(raw), { file: '/none/chronawflow.yaml', env: {} });
  const worker = await startJobWorker(stage, config, [invoiceRun]);
  cleanUp.add(() => worker.stop());
  cf = await Chronawflow.connect({ config, jobs: [invoiceRun] });
  cleanUp.add(() => cf.close());
});
afterAll(() => cleanUp.run());

const numbers = async (organisation: string) =>
  (
    await books.query<{ number: string }>(
      `select number from invoices where organisation_id = $1 order by number`,
      [organisation],
    )
  ).rows.map((row) => Number(row.number));

test('the invoice run bills every customer once, also when its attempt is lost half-way', async () => {
  const acme = await seedOrganisation(books, { name: 'Acme', invoices: 5 }, seededRandom(1));
  await books.query(
    `insert into customers (organisation_id, name) select $1, 'Customer ' || n from generate_series(1, 180) n`,
    [acme.id],
  );
  const before = (await numbers(acme.id)).length;
  const { rows } = await books.query<{ n: number }>(
    'select count(*)::integer as n from customers where organisation_id = $1 and archived_at is null',
    [acme.id],
  );
  const customers = rows[0]?.n ?? 0;
  const request = {
    tenant: acme.id,
    type: 'invoice-run',
    key: '2026-11',
    input: { issuedOn: '2026-11-30', fee: 4_900 },
  };
  const job = await cf.jobs.submit(request);
  const admin = stage.postgres.connect('books');
  // After its first page its permit is gone, as that of a worker that stalls.
  await until(
    async () =>
      ((
        await admin.query(
          `update chronawflow.job set lease_until = clock_timestamp()
           where state = 'running' and exists (select from chronawflow.idempotency where key = 'page 1')`,
        )
      ).rowCount ?? 0) > 0 || (await job.status()).state === 'done',
  );
  expect(await job.result()).toEqual({ invoices: customers });
  expect((await numbers(acme.id)).length).toBe(before + customers);
  const all = await numbers(acme.id);
  expect(all).toEqual(all.map((_, index) => (all[0] ?? 0) + index));
  expect(await findBookErrors(books, acme.id)).toEqual([]);
  // Asked for again, it is the same run.
  expect(await (await cf.jobs.submit(request)).result()).toEqual({ invoices: customers });
  expect((await numbers(acme.id)).length).toBe(before + customers);
});

test('another organisation’s run, and an organisation that is not there', async () => {
  const globex = await seedOrganisation(books, { name: 'Globex', invoices: 3 }, seededRandom(2));
  const request = {
    tenant: globex.id,
    type: 'invoice-run',
    key: '2026-11',
    input: { issuedOn: '2026-11-30', fee: 900 },
  };
  const result = await (await cf.jobs.submit(request)).result();
  expect(result).toEqual({ invoices: expect.any(Number) });
  for (const tenant of ['00000000-0000-4000-8000-000000000000', 'acme']) {
    await expect(cf.jobs.submit({ ...request, tenant })).rejects.toMatchObject({ code: 'UNKNOWN_TENANT' });
  }
});
