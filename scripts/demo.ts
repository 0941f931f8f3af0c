/**
 * `npm run demo [-- --keep]`: three organisations keep writing, one loses its invoices and gets them back; then the worker of
 * an invoice run is killed, and what leads a chaos experiment, and somebody changes the audit log. Real servers, a real backup,
 * real workflows; nothing here prints a text that was not true when it was printed.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Pool } from 'pg';
import { Chronawflow } from '../client';
import { InterruptedError } from '../client/cli/interrupted-error';
import { withInterrupts } from '../client/cli/interruptible';
import { reportPage } from '../client/cli/pages/report-page';
import { previewWithSamples } from '../client/cli/recovery/preview-with-samples';
import { describe } from '../client/cli/stack-display';
import { messageOf } from '../core/errors';
import {
  type Administrator,
  APPLICATION,
  grantApplicationRole,
  localAdministrator,
  openStack,
  type Stack,
  StackMissingError,
  startStack,
  takeDownStack,
} from '../core/local-stack';
import { createPool } from '../database';
import { accuBooksTenancy, deleteAllInvoices, installAccuBooks } from '../examples/accubooks';
import { auditLogChanged } from './demo/audit-log';
import { experimentUnderFire } from './demo/experiment';
import { invoiceRunUnderFire } from './demo/invoice-run';
import { heading, line, page } from './demo/narrate';
import { newWriter, type Office, openOffice, workOn } from './demo/office';
import { sliceImage } from './demo/slice-image';

const DIRECTORY = resolve('.chronawflow/demo');
/** Of the audit log of a stack that is kept. */
const AUDIT_KEY = join(DIRECTORY, 'audit.key');
/** One for each office, and some for looking. */
const OFFICE_CONNECTIONS = 10;
const keep = process.argv.includes('--keep');

async function main(signal: AbortSignal): Promise<void> {
  heading('1. The stack');
  await removeEarlier();
  await mkdir(DIRECTORY, { recursive: true });
  const stack = await openStack({ directory: DIRECTORY, tenancy: accuBooksTenancy });
  // Left where it is when it is interrupted: its servers go, and the process with it.
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // Nobody waits for it while the stack starts, which takes the signal itself.
  interrupted.catch(() => undefined);
  try {
    await startStack(stack, (event) => line(describe(event)), signal);
    const administrator = localAdministrator({
      socketDirectory: stack.layout.socketDirectory,
      port: stack.ports.application,
    });
    const pool = createPool(
      { ...administrator, database: APPLICATION.database },
      { applicationName: 'accubooks', max: OFFICE_CONNECTIONS },
    );
    await Promise.race([story(pool, stack, administrator).finally(() => pool.end()), interrupted]);
  } finally {
    if (keep && !signal.aborted) keepNote(stack.layout.configFile, stack.ports.web);
    else
      await takeDownStack({
        directory: DIRECTORY,
        removeData: true,
        onEvent: (event) => line(describe(event)),
      });
  }
}

/** A demo that was kept, or killed, begins anew. */
async function removeEarlier(): Promise<void> {
  await rm(AUDIT_KEY, { force: true });
  try {
    await takeDownStack({ directory: DIRECTORY, removeData: true, onEvent: () => undefined });
  } catch (error) {
    if (!(error instanceof StackMissingError)) throw error;
  }
}

async function story(pool: Pool, { layout, ports }: Stack, administrator: Administrator): Promise<void> {
  const { configFile, socketDirectory } = layout;
  heading('2. A SaaS at work: AccuBooks, many organisations in shared tables');
  await installAccuBooks(pool);
  await grantApplicationRole(pool);
  const offices = [
    await openOffice(pool, 'Alder & Sons', 1),
    await openOffice(pool, 'Birch Ltd', 2),
    await openOffice(pool, 'Cedar Coop', 3),
  ];
  const quiet = await openOffice(pool, 'Quiet Quarry', 4);
  const [, victim] = offices;
  if (victim === undefined) throw new RangeError('the demo needs its second organisation');
  for (const office of offices) office.writer.start();
  try {
    await workOn(offices, 10);
    line(
      `${offices.map((office) => office.name).join(', ')} write all the time; ${quiet.name} stands still and is our witness`,
    );
    await lossAndReturn(pool, configFile, offices, victim, quiet);
  } finally {
    await Promise.all(offices.map((office) => office.writer.stop()));
  }
  await invoiceRunUnderFire(pool, configFile);
  await experimentUnderFire(pool, configFile, administrator);
  await auditLogChanged(
    localAdministrator({ socketDirectory, port: ports.platform }),
    keep ? AUDIT_KEY : undefined,
  );
}

async function lossAndReturn(
  pool: Pool,
  configFile: string,
  offices: readonly Office[],
  victim: Office,
  quiet: Office,
): Promise<void> {
  // The victim's office pauses for a moment, so that its image at the target can be taken at all.
  await victim.writer.stop();
  const atTarget = await sliceImage(pool, victim.id);
  const target =
    (
      await pool.query<{ now: string }>(
        `select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
      )
    ).rows[0]?.now ?? '';
  const witness = await sliceImage(pool, quiet.id);
  const lateWriter = newWriter(pool, victim.id, 12);
  lateWriter.start();
  await lateWriter.waitForCommits(5, 30_000);

  heading('3. The accident');
  const mishap = await deleteAllInvoices(pool, victim.id);
  line(`${victim.name}: ${mishap.story}: ${mishap.rows} invoices gone, at ${target} they were there`);
  await lateWriter.waitForCommits(3, 30_000);
  const damaged = await sliceImage(pool, victim.id);

  heading('4. The restore');
  const cf = await Chronawflow.connect({ configFile });
  try {
    const others = offices.filter((office) => office !== victim);
    const before = others.map((office) => office.writer.stats().committed);
    for (const office of others) office.writer.resetStall();
    const run = await cf.recovery.restoreTenant({
      tenant: victim.id,
      to: target,
      requestedBy: 'demo operator',
      reason: mishap.story,
    });
    line(`${run.workflowId}`);
    if (run.webUrl !== undefined) line(run.webUrl);
    let phase = '';
    const preview = await run.preview({
      onStatus: (status) => {
        if (status.phase !== phase) line(`phase      ${status.phase}`);
        phase = status.phase;
      },
    });
    heading('5. The preview, for somebody else to approve');
    page(await previewWithSamples(cf, preview, run.workflowId));
    await lateWriter.waitUntil((stats) => stats.refused > 0, 30_000);
    line(`${victim.name} is frozen: ${lateWriter.stats().refused} write(s) refused by the database so far`);
    await lateWriter.stop();
    await run.approve({ diffHash: preview.diffHash, as: 'demo reviewer' });
    line('approved by demo reviewer');
    const report = await run.result();
    const after = await sliceImage(pool, victim.id);

    heading('6. The proof');
    line(`outcome    ${report.outcome}`);
    line(`${victim.name}, by plain SQL of this demo:`);
    line(`  damaged  ${damaged.sha256}  ${damaged.rows} rows`);
    line(`  target   ${atTarget.sha256}  ${atTarget.rows} rows`);
    line(`  now      ${after.sha256}  ${after.rows} rows`);
    line(`${victim.name}, by the engine before its commit:`);
    line(`  before   ${report.merge?.digestBefore}`);
    line(`  expected ${report.preview?.digestExpected}`);
    line(`  after    ${report.merge?.digestAfter}`);
    const witnessNow = await sliceImage(pool, quiet.id);
    line(
      `${quiet.name}: ${witness.sha256 === witnessNow.sha256 ? 'byte-identical' : 'CHANGED'} (${witnessNow.sha256})`,
    );
    others.forEach((office, i) => {
      const stats = office.writer.stats();
      line(
        `${office.name}: ${stats.committed - (before[i] ?? 0)} transactions committed meanwhile, ${stats.refused} refused, longest wait ${Math.round(stats.longestStallMs)} ms`,
      );
    });
    page(reportPage(report));
    const back = newWriter(pool, victim.id, 22);
    back.start();
    await back.waitForCommits(3, 30_000);
    await back.stop();
    line(`${victim.name} writes again; frozen for ${((report.frozenMs ?? 0) / 1000).toFixed(1)} s`);
    if (after.sha256 !== atTarget.sha256) throw new Error('the restored rows are not those of the target');
    if (witness.sha256 !== witnessNow.sha256) throw new Error('another organisation has changed');
  } finally {
    await lateWriter.stop();
    await cf.close();
  }
}

function keepNote(configFile: string, webPort: number): void {
  heading('The stack stays up');
  process.stdout.write(
    `Web UI         http://127.0.0.1:${webPort}\nConfiguration  export CHRONAWFLOW_CONFIG=${configFile}\nTo stop it     npx chronawflow down --delete --directory ${DIRECTORY}\n`,
  );
}

withInterrupts(() => new InterruptedError('interrupted; what was started has been stopped again'), main).then(
  () => undefined,
  (error) => {
    const interrupted = error instanceof InterruptedError;
    process.stderr.write(`\n${interrupted ? '' : 'The demo failed: '}${messageOf(error)}\n`);
    if (process.argv.includes('--debug'))
      process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`);
    // The story may be in the middle of something.
    process.exit(interrupted ? 130 : 1);
  },
);
