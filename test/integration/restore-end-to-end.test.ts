import { runProgram } from '../../core/cluster';
import { IdempotencyManager } from '../../core/idempotency';
import type { RestoreStage } from '../support/restore-stage';
import { runCli } from '../support/restore-stage-cli';
import {
  expectAtWork,
  expectBackAtTarget,
  expectUnchanged,
  failureOf,
} from '../support/restore-stage-expect';
import { leftovers } from '../support/restore-stage-leftovers';
import { type LosingOffice, loseInvoices, openOffice } from '../support/restore-stage-office';
import { useRestoreStage } from '../support/restore-stages';
import { until } from '../support/until';

/** AccuBooks, pgBackRest, Temporal, a worker process, and whoever may start a restore: SDK, CLI, Temporal's own CLI. */
describe('a tenant restore from end to end', () => {
  let stage: RestoreStage;
  const LIMIT_MS = 300_000;
  jest.setTimeout(LIMIT_MS);

  const { approve, hashOf, peerAtWork } = useRestoreStage({}, (opened) => {
    stage = opened.stage;
  });
  afterEach(async () => {
    expect(await leftovers(stage)).toEqual([]);
    await peerAtWork();
  });

  const start = (office: LosingOffice, more: object = {}) =>
    stage.cf.recovery.restoreTenant({ tenant: office.id, to: office.target, requestedBy: 'olive', ...more });

  it('needs as many others as were asked for, each for exactly this diff; and can be undone', async () => {
    const { office } = await loseInvoices(stage, 'office');
    // Done after the target: its record stays, and is told of (invariant 21).
    const request = { tenant: office.id, scope: 'POST /reminders', key: 'k1' };
    await new IdempotencyManager(stage.app.superuser).execute(request, null, async () => ({ sent: true }));
    const run = await start(office, { approvals: 2 });
    const { diffHash, restoreId, undoneEffects } = await run.preview({ limitMs: LIMIT_MS });
    expect(undoneEffects).toEqual({ jobs: 0, steps: 0, requests: 1 });
    const undone = { kind: 'request', type: request.scope, key: request.key };
    expect(await stage.cf.recovery.undone(restoreId, {})).toMatchObject([undone]);
    const shown = await runCli('recovery', 'preview', restoreId, '--undone', '--config', stage.configFile);
    expect(shown.stdout).toContain('POST /reminders');
    expect(await failureOf(run.approve({ diffHash: 'f'.repeat(64), as: 'grace' }))).toMatchObject({
      code: 'HASH_MISMATCH',
      kind: 'refused',
    });
    expect(await failureOf(run.approve({ diffHash, as: 'Olive' }))).toMatchObject({
      code: 'APPROVAL_BY_REQUESTER',
    });
    expect(await run.approve({ diffHash, as: 'grace' })).toEqual({ approvedBy: ['grace'], missing: 1 });
    expect(await failureOf(run.approve({ diffHash, as: 'grace' }))).toMatchObject({
      code: 'ALREADY_APPROVED',
    });
    expect(await run.approve({ diffHash, as: 'henry' })).toMatchObject({ missing: 0 });
    const report = await run.result();
    await expectBackAtTarget(office, report);
    expect(report.approvedBy).toEqual(['grace', 'henry']);
    expect(report.merge?.undoneEffects).toEqual(undoneEffects);
    expect(await stage.cf.recovery.undone(restoreId, {})).toMatchObject([{ ...undone, state: 'open' }]);
    expect((await runCli('recovery', 'report', restoreId, '--config', stage.configFile)).stdout).toContain(
      '1 request(s)',
    );
    expect(await failureOf(run.approve({ diffHash, as: 'ivy' }))).toMatchObject({
      code: 'RUN_ENDED',
      message: expect.stringContaining('merged'),
    });

    const undo = await stage.cf.recovery.undo({
      tenant: office.id,
      restoreId: report.restoreId,
      requestedBy: 'olive',
    });
    await approve(undo);
    expect(await undo.result()).toMatchObject({ outcome: 'merged' });
    await expectUnchanged(stage, office);
    expect(await stage.cf.recovery.undone(restoreId, {})).toEqual([]);
  });

  it('is the same when Temporal’s own CLI starts and approves it', async () => {
    const { office } = await loseInvoices(stage, 'office');
    const temporal = async (...args: string[]) =>
      (await runProgram(stage.temporal.cli, ['workflow', ...args, `--address=${stage.temporal.address}`]))
        .stdout;
    const workflow = '--workflow-id=by hand/restore/1';
    await temporal(
      'start',
      '--type=tenantRestore',
      '--task-queue=chronawflow',
      workflow,
      `--input=${JSON.stringify({ tenant: office.id, to: office.target, requestedBy: 'olive' })}`,
    );
    const run = stage.cf.recovery.run('by hand/restore/1');
    const diffHash = await hashOf(run);
    await temporal(
      'update',
      'execute',
      '--name=approve',
      workflow,
      `--input=${JSON.stringify({ diffHash, as: 'grace' })}`,
    );
    await expectBackAtTarget(office, await run.result());

    await temporal(
      'start',
      '--type=tenantRestore',
      '--task-queue=chronawflow',
      '--workflow-id=nonsense',
      '--input="?"',
    );
    expect(await failureOf(stage.cf.recovery.run('nonsense').result())).toMatchObject({
      code: 'INVALID_INPUT',
      kind: 'usage',
    });
  });

  it('6: freezes after the approval when asked to, and asks again when the tenant has written meanwhile', async () => {
    const { office } = await loseInvoices(stage, 'office');
    const run = await start(office, { freeze: 'after-approval' });
    const writer = office.writer(3);
    const first = await hashOf(run);
    writer.start();
    await writer.waitForCommits(3, 60_000);
    await run.approve({ diffHash: first, as: 'grace' });
    await writer.waitUntil((stats) => stats.refused > 0, 60_000);
    await run.until(({ approval }) => approval.kind === 'open' && approval.diffHash !== first, {
      limitMs: LIMIT_MS,
    });
    expect((await run.status()).frozen).toBe(true);
    await approve(run);
    const report = await run.result();
    await writer.stop();
    expect(report).toMatchObject({ outcome: 'merged', approvedBy: ['grace'] });
    expect(report.merge?.digestAfter).toBe(report.preview?.digestExpected);
    expect(report.frozenMs).toBeGreaterThan(0);
    await expectAtWork(office);
  });

  it('changes nothing when it is rejected, when nobody approves in time, and when there is nothing to do', async () => {
    const o = await loseInvoices(stage, 'rejected', 'expired');
    const rejected = await start(o.rejected);
    await rejected.preview({ limitMs: LIMIT_MS });
    await rejected.reject({ as: 'grace', reason: 'the wrong organisation' });
    expect(await rejected.result()).toMatchObject({ outcome: 'rejected' });

    const desk = await stage.openDesk('impatient', { recovery: { approvals: 1, approvalTimeout: '200ms' } });
    const expired = await desk.cf.recovery.restoreTenant({
      tenant: o.expired.id,
      to: o.expired.target,
      requestedBy: 'olive',
    });
    expect(await expired.result()).toMatchObject({ outcome: 'expired' });
    expect(await failureOf(expired.approve({ diffHash: 'f'.repeat(64), as: 'grace' }))).toMatchObject({
      code: 'RUN_ENDED',
    });

    const { target } = (await loseInvoices(stage, 'later')).later;
    const nothing = await start(o.rejected, { to: target });
    expect(await nothing.result()).toMatchObject({ outcome: 'nothing-to-do' });
    await expectUnchanged(stage, o.rejected, o.expired);
  });

  it('gives a sign-in address that another organisation took since a suffix, when that was decided', async () => {
    const { office } = await loseInvoices(stage, 'office');
    const other = await openOffice(stage, 'Other');
    const emails = async (of: { readonly id: string }) => {
      const sql = 'select email from users where organisation_id = $1 order by id';
      return (await stage.books.query<{ email: string }>(sql, [of.id])).rows.map(({ email }) => email);
    };
    const [taken = '', ...rest] = await emails(office);
    for (const [id, email] of [
      [office.id, `moved.${taken}`],
      [other.id, taken.toUpperCase()],
    ])
      await stage.books.query(
        'update users set email = $2 where id = (select id from users where organisation_id = $1 order by id limit 1)',
        [id, email],
      );
    const begin = (request: string, ...more: string[]) =>
      runCli(
        ...['recovery', 'restore', `--config=${stage.configFile}`, '--json', '--yes'],
        ...[`--tenant=${office.id}`, `--to=${office.target}`, `--request=${request}`, ...more],
      );
    const blocked = await begin('undecided');
    expect([blocked.code, JSON.parse(blocked.stdout).error.code]).toEqual([3, 'CONFLICTS_BLOCK']);
    const mapping = 'email=suffix:.restored';
    const started = await begin('mapped', `--decide=public.users:unique-taken=map:${mapping}`, '--no-wait');
    const run = stage.cf.recovery.run(JSON.parse(started.stdout).workflowId);
    await approve(run);
    expect(await run.result()).toMatchObject({
      outcome: 'merged',
      preview: { conflicts: [{ table: 'public.users', decision: 'map', mapping, rows: 1 }] },
    });
    expect(await emails(office)).toEqual([`${taken}.restored`, ...rest]);
    expect((await emails(other))[0]).toBe(taken.toUpperCase());
  });

  it('tells a script by the exit code how it ended', async () => {
    const o = await loseInvoices(stage, 'merged', 'rejected');
    const restore = (office: LosingOffice, request: string, ...more: string[]) =>
      runCli(
        'recovery',
        'restore',
        `--config=${stage.configFile}`,
        '--json',
        '--yes',
        `--tenant=${office.id}`,
        `--request=${request}`,
        ...more,
      );
    const decide = async (office: LosingOffice, request: string, ...decision: string[]) => {
      const run = stage.cf.recovery.run(`restore/${office.id}/${request}`);
      await until(
        () =>
          run.status().then(
            ({ approval }) => approval.kind === 'open',
            () => false,
          ),
        {
          limitMs: LIMIT_MS,
        },
      );
      const hash = decision[0] === 'approve' ? [`--hash=${await hashOf(run)}`] : [];
      return runCli(
        'recovery',
        ...decision,
        run.workflowId,
        ...hash,
        `--config=${stage.configFile}`,
        '--json',
        ...(decision[0] === 'approve' ? ['--yes'] : []),
      );
    };

    const restoring = restore(o.merged, 'm', `--to=${o.merged.target}`);
    // One after the other: after grace's approval the run may have ended before the other one asks.
    const itself = await decide(o.merged, 'm', 'approve', '--as=cli-operator');
    const approved = await decide(o.merged, 'm', 'approve', '--as=grace');
    const merged = await restoring;
    expect(itself).toMatchObject({ code: 3, stderr: '' });
    expect(JSON.parse(itself.stdout)).toMatchObject({ error: { code: expect.stringMatching(/^APPROVAL/) } });
    expect(approved.code).toBe(0);
    expect(merged).toMatchObject({ code: 0, stderr: '' });
    await expectBackAtTarget(o.merged, JSON.parse(merged.stdout));

    const [rejected] = await Promise.all([
      restore(o.rejected, 'r', `--to=${o.rejected.target}`),
      decide(o.rejected, 'r', 'reject', '--as=grace', '--reason=not now'),
    ]);
    expect(rejected.code).toBe(3);
    expect(JSON.parse(rejected.stdout)).toMatchObject({ outcome: 'rejected' });

    const wrong = await restore(o.rejected, 'w');
    expect(wrong.code).toBe(2);
    const unreadable = await restore(o.rejected, 'u', '--to=yesterday');
    expect(unreadable.code).toBe(2);
    expect(JSON.parse(unreadable.stdout)).toMatchObject({ error: { code: 'INVALID_INPUT' } });
    const failed = await restore(o.rejected, 'f', '--to=2001-01-01T00:00:00Z');
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject({ error: { code: 'TARGET_BEFORE_FIRST_BACKUP' } });
    await expectUnchanged(stage, o.rejected);
  });
});
