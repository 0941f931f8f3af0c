import { runProgram } from '../../core/cluster';
import { type RestoreStage, startRestoreStage } from '../support/restore-stage';
import { runCli } from '../support/restore-stage-cli';
import { expectUnchanged } from '../support/restore-stage-expect';
import { leftovers } from '../support/restore-stage-leftovers';
import { databaseTime, loseInvoices, openOffice } from '../support/restore-stage-office';
import { until } from '../support/until';

/** A rehearsal on the real parts: a real backup, a scratch cluster, the tenant's rows, and nothing of it stays. */
describe('a recovery drill', () => {
  let stage: RestoreStage;
  const LIMIT_MS = 240_000;

  beforeAll(async () => {
    stage = await startRestoreStage();
  });
  afterEach(async () => expect(await leftovers(stage)).toEqual([]));
  afterAll(() => stage.stop());

  const cli = (...args: readonly string[]) =>
    runCli('recovery', ...args, `--config=${stage.configFile}`, '--json');

  it(
    'reads and compares the tenant’s rows at the target, measures, and changes nothing',
    async () => {
      const { office } = await loseInvoices(stage, 'office');
      const busy = await openOffice(stage, 'Busy');
      const since = await databaseTime(stage.books);
      const writer = busy.writer(1);
      writer.start();
      const [quiet, during] = await Promise.all([
        cli('drill', `--tenant=${office.id}`, `--to=${office.target}`, '--request=quiet'),
        // Nobody is frozen: the tenant of this drill goes on writing.
        cli('drill', `--tenant=${busy.id}`, `--to=${since}`, '--request=during'),
      ]);
      const { refused, committed } = await writer.stop();
      expect([quiet, during].map(({ code, stderr }) => [code, stderr])).toEqual([
        [0, ''],
        [0, ''],
      ]);
      expect({ refused, written: committed > 0 }).toEqual({ refused: 0, written: true });
      const report = JSON.parse(quiet.stdout);
      const { insert, update, unchanged } = report.preview.totals;
      expect(report).toMatchObject({ outcome: 'drilled', tenant: office.id, approvedBy: [] });
      // And the row of `counters`, which the image leaves out because it only moves forward.
      expect(insert + update + unchanged).toBe(office.atTarget.rows + 1);
      expect(insert).toBeGreaterThan(0);
      expect(report.merge).toBeUndefined();
      await expectUnchanged(stage, office);

      const listed = JSON.parse((await cli('status')).stdout).restores;
      expect(listed).toContainEqual(
        expect.objectContaining({ id: report.restoreId, kind: 'drill', outcome: 'drilled' }),
      );
      expect(JSON.parse((await cli('report', report.restoreId)).stdout)).toEqual(report);
      // A drill is no restore: there is nothing to undo.
      const undo = await cli('undo', report.restoreId, `--tenant=${office.id}`, '--yes');
      expect(undo.code).toBe(2);
      expect(JSON.parse(undo.stdout)).toMatchObject({ error: { code: 'NOT_UNDOABLE' } });
    },
    LIMIT_MS,
  );

  it(
    'takes the tenant that waits longest when none is named, also by a schedule',
    async () => {
      const tenants = await stage.books.query<{ id: string }>('select id from organisations');
      const drilled = (await stage.cf.recovery.recent(100)).filter(({ kind }) => kind === 'drill');
      const waiting = tenants.rows
        .map(({ id }) => id)
        .filter((id) => !drilled.some(({ tenant }) => tenant === id));
      const { office } = await loseInvoices(stage, 'office');
      const first = await (await stage.cf.recovery.drill({ to: office.target })).result();
      expect([...waiting, office.id]).toContain(first.tenant);

      const set = await cli(
        'schedule',
        'set',
        'rehearsal',
        '--kind=drill',
        '--cron=0 4 * * 1',
        '--to=1s ago',
      );
      expect(set).toMatchObject({ code: 0, stderr: '' });
      const list = JSON.parse((await cli('schedule', 'list')).stdout).schedules;
      expect(list).toMatchObject([{ name: 'rehearsal', what: 'drill', paused: false }]);
      await runProgram(stage.temporal.cli, [
        ...['schedule', 'trigger', '--schedule-id', 'recovery-drill-schedule/rehearsal'],
        ...['--address', stage.temporal.address],
      ]);
      const byItself = async () =>
        (await stage.cf.recovery.recent(100)).find(
          ({ workflowId, outcome }) => workflowId.startsWith('drill/rehearsal') && outcome !== undefined,
        );
      await until(async () => (await byItself()) !== undefined, {
        limitMs: LIMIT_MS,
        what: 'the drill that was due',
      });
      const scheduled = await byItself();
      expect(scheduled?.outcome).toBe('drilled');
      expect(scheduled?.tenant).not.toBe(first.tenant);
      expect((await cli('schedule', 'remove', 'rehearsal', '--yes')).code).toBe(0);
      expect((await cli('schedule', 'remove', 'rehearsal', '--yes')).code).toBe(2);
    },
    LIMIT_MS,
  );

  it(
    'fails with the reason, or because an objective was missed, by its exit code',
    async () => {
      const { office } = await loseInvoices(stage, 'office');
      const early = await cli('drill', `--tenant=${office.id}`, '--to=2001-01-01T00:00:00Z');
      expect(early.code).toBe(1);
      expect(JSON.parse(early.stdout)).toMatchObject({ error: { code: 'TARGET_BEFORE_FIRST_BACKUP' } });
      const nobody = await cli('drill', '--tenant=00000000-0000-0000-0000-000000000000', '--to=1s ago');
      expect(JSON.parse(nobody.stdout)).toMatchObject({ error: { code: 'UNKNOWN_TENANT' } });

      const desk = await stage.openDesk('strict', {
        objectives: { tiers: { strict: { rpo: '1d', rto: '1ms' } }, defaultTier: 'strict' },
      });
      const missed = await runCli(
        'recovery',
        'drill',
        `--tenant=${office.id}`,
        `--to=${office.target}`,
        `--config=${desk.configFile}`,
        '--json',
      );
      expect(missed.code).toBe(1);
      expect(JSON.parse(missed.stdout)).toMatchObject({
        outcome: 'drilled',
        objectives: { tier: 'strict', rpoMet: true, rtoMet: false },
      });
      const { breaches, tiers } = await desk.cf.recovery.compliance(office.id);
      expect(tiers).toMatchObject([{ tier: 'strict', rtoMet: false }]);
      expect(breaches).toContainEqual(expect.objectContaining({ objective: 'rto' }));
      await expectUnchanged(stage, office);
    },
    LIMIT_MS,
  );
});
