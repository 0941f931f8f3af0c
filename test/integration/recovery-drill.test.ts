import { RecoveryMetrics } from '../../activities/recovery-metrics';
import { Chronawflow } from '../../client';
import type { Config } from '../../config';
import { runProgram } from '../../core/cluster';
import { PLATFORM } from '../../core/local-stack';
import { Metrics } from '../../core/metrics';
import { createPool } from '../../database';
import { deleteAllInvoices } from '../../examples/accubooks';
import { watchCompliance } from '../../workers/compliance-watch';
import { type RestoreStage, startRestoreStage } from '../support/restore-stage';
import { runCli } from '../support/restore-stage-cli';
import { expectBackAtTarget, expectUnchanged } from '../support/restore-stage-expect';
import { leftovers } from '../support/restore-stage-leftovers';
import { databaseTime, loseInvoices, openOffice } from '../support/restore-stage-office';
import { until } from '../support/until';

/** A rehearsal on the real parts: a real backup, a scratch cluster, the tenant's rows, and nothing of it stays. */
describe('a recovery drill', () => {
  let stage: RestoreStage;
  const LIMIT_MS = 400_000;

  beforeAll(async () => {
    stage = await startRestoreStage();
  }, 300_000);
  afterEach(async () => expect(await leftovers(stage)).toEqual([]));
  afterAll(() => stage?.stop(), 120_000);

  const cli = (...args: readonly string[]) =>
    runCli('recovery', ...args, `--config=${stage.configFile}`, '--json');
  const scheduled = async (): Promise<readonly { runs: number; missed: number }[]> =>
    JSON.parse((await cli('schedule', 'list')).stdout).schedules;

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
      await until(async () => (await scheduled()).length > 0, { what: 'the schedule to be listed' });
      expect(await scheduled()).toMatchObject([{ name: 'rehearsal', what: 'drill', paused: false }]);
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
      const due = await byItself();
      expect(due?.outcome).toBe('drilled');
      expect(due?.tenant).not.toBe(first.tenant);
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
      await expectUnchanged(stage, office);

      // The drill itself: an event, and a counter of the worker that ran it.
      const { restoreId } = JSON.parse(missed.stdout);
      expect(await missedEvents(restoreId)).toMatchObject([
        { actor: 'chronawflow', tenant: office.id, details: { tier: 'strict', rtoMet: false } },
      ]);
      expect(await (await fetch(desk.worker.metricsUrl)).text()).toMatch(
        /^chronawflow_recovery_objective_breaches_total\{objective="rto",tier="strict"\} 1$/m,
      );

      // And what stands of it: by its exit code, as an event, however often it is asked.
      const compliance = () =>
        runCli(
          ...['recovery', 'compliance', `--tenant=${office.id}`, `--config=${desk.configFile}`, '--json'],
        );
      const judged = [await compliance(), await compliance()];
      for (const { code, stdout } of judged) {
        expect(code).toBe(1);
        const { breaches, tiers } = JSON.parse(stdout);
        expect(tiers).toMatchObject([{ tier: 'strict', rpoMet: true, rtoMet: false }]);
        expect(breaches).toMatchObject([{ tier: 'strict', objective: 'rto' }]);
      }
      const events = await missedEvents('tier strict');
      expect(events[0]).toMatchObject({
        actor: 'cli-operator',
        tenant: office.id,
        outcome: 'OBJECTIVE_MISSED',
      });
      // Two where the hour struck in between.
      expect(events.length).toBeLessThanOrEqual(2);
    },
    LIMIT_MS,
  );

  it(
    'leaves the objectives to be watched by the worker, as metrics and events',
    async () => {
      const { office } = await loseInvoices(stage, 'office');
      const day = 86_400_000;
      const config: Config = {
        ...stage.config,
        objectives: {
          tiers: { strict: { rpo: day, rto: 1 }, lax: { rpo: day, rto: day } },
          tenants: { [office.id]: 'strict' },
          defaultTier: 'lax',
        },
      };
      const warnings: string[] = [];
      const log = { info: () => undefined, warn: (_: object, text: string) => void warnings.push(text) };
      await (await stage.cf.recovery.drill({ tenant: office.id, to: office.target })).result();
      const application = createPool(config.application.database, { applicationName: 'watch', max: 2 });
      const platform = createPool(config.platform.database, { applicationName: 'watch', max: 2 });
      const seriesOf = async (changes: Partial<Config>, seen: (text: string) => boolean) => {
        const metrics = new Metrics();
        const ctx = { application, platform, log, config: { ...config, ...changes } };
        const stop = watchCompliance(ctx, new RecoveryMetrics(metrics), 100);
        try {
          let text = '';
          await until(
            async () => {
              text = await metrics.registry.metrics();
              return seen(text);
            },
            { limitMs: 60_000, what: 'a look at the objectives' },
          );
          return text.split('\n').filter((line) => line.startsWith('chronawflow_recovery_objective_missed{'));
        } finally {
          await stop();
        }
      };
      try {
        const shown = await seriesOf({}, (text) => text.includes('tier="strict"'));
        expect(shown).toEqual(
          expect.arrayContaining([
            'chronawflow_recovery_objective_missed{objective="rpo",tier="strict"} 0',
            'chronawflow_recovery_objective_missed{objective="rto",tier="strict"} 1',
          ]),
        );
        expect((await missedEvents('tier strict')).map(({ actor }) => actor)).toContain('chronawflow');
        // With the repository away nobody knows: no figure, rather than an old one.
        const { backup } = config.application;
        const away = { ...config.application, backup: { ...backup, stanza: 'no-such-stanza' } };
        expect(await seriesOf({ application: away }, () => warnings.length > 0)).toEqual([]);
      } finally {
        await Promise.all([application.end(), platform.end()]);
      }
    },
    LIMIT_MS,
  );

  const missedEvents = async (object: string) => {
    const platform = stage.app.platformCluster.connect(PLATFORM.database, undefined, 1);
    try {
      const { rows } = await platform.query<{
        actor: string;
        tenant: string;
        outcome: string;
        details: object;
      }>(
        `select actor, tenant, outcome, details from chronawflow.audit_event
         where action = 'recovery.objective-missed' and object = $1 order by at`,
        [object],
      );
      return rows;
    } finally {
      await platform.end();
    }
  };

  it(
    'is no restore; the strategy manager makes points, restores to them and judges the objectives',
    async () => {
      const { recoveryStrategy } = stage.cf;
      const office = await openOffice(stage, 'Careful');
      const atPoint = await office.image();
      const point = await recoveryStrategy.createRecoveryPoint({ kind: 'named', name: 'before-import' });
      await deleteAllInvoices(stage.books, office.id);
      const damaged = await office.image();
      const listed = JSON.parse((await cli('points')).stdout);
      expect(listed.points).toContainEqual(expect.objectContaining({ name: point.name, lsn: point.lsn }));
      const page = await runCli('recovery', 'points', `--config=${stage.configFile}`);
      expect(page.stdout).toMatch(new RegExp(`before-import +│ named +│ \\S+ +│ ${point.lsn} `));
      expect(page.stdout).toMatch(/^from +\d{4}-.*Z$[\s\S]*^to +\d{4}-.*Z$/m);

      const run = await recoveryStrategy.restoreTenant({
        tenant: office.id,
        to: `point:${point.name}`,
        requestedBy: 'olive',
      });
      const preview = await run.preview({ limitMs: LIMIT_MS });
      await run.approve({ diffHash: preview.diffHash, as: 'grace' });
      const report = await run.result();
      const target = point.at;
      await expectBackAtTarget({ ...office, target, atTarget: atPoint, damaged }, report);
      expect(report.reach).toMatchObject({ behindTargetMs: 0 });
      expect(await recoveryStrategy.validateRPORTOCompliance(office.id)).toMatchObject({
        compliant: true,
        withoutTier: [office.id],
      });
    },
    LIMIT_MS,
  );

  it(
    'counts the runs of a schedule that were missed',
    async () => {
      // Nobody listens on this queue, so the first run never ends and the second one is not begun.
      const { temporal } = stage.config;
      const cf = await Chronawflow.connect({
        config: { ...stage.config, temporal: { ...temporal, taskQueue: 'nobody' } },
      });
      const trigger = () =>
        runProgram(stage.temporal.cli, [
          ...['schedule', 'trigger', '--schedule-id', 'recovery-point-schedule/nightly'],
          ...['--address', stage.temporal.address],
        ]);
      const listed = async () => (await scheduled())[0];
      try {
        // Not while this runs, but for once in four years.
        await cf.recovery.schedules.set({ name: 'nightly', kind: 'named', cron: '0 2 29 2 *' });
        await trigger();
        await until(async () => (await listed())?.runs === 1, { limitMs: 60_000, what: 'the first run' });
        expect(await listed()).toMatchObject({ name: 'nightly', missed: 0 });
        await trigger();
        await until(async () => (await listed())?.missed === 1, { limitMs: 60_000, what: 'the missed run' });
        const page = await runCli('recovery', 'schedule', 'list', `--config=${stage.configFile}`);
        expect(page.stdout).toMatch(/nightly .*│\s+1 │\s+1 │/);
      } finally {
        await cf.recovery.schedules.remove('nightly');
        await cf.close();
      }
    },
    LIMIT_MS,
  );
});
