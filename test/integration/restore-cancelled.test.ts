import { restoreIdFor } from '../../core/recovery/restore-id';
import type { RestoreStage } from '../support/restore-stage';
import { expectUnchanged, failureOf } from '../support/restore-stage-expect';
import { holdAfter, holdBefore, holdByTransaction, holdTableOf } from '../support/restore-stage-holds';
import { leftovers } from '../support/restore-stage-leftovers';
import { type LosingOffice, loseInvoices } from '../support/restore-stage-office';
import { useRestoreStage } from '../support/restore-stages';

describe('a tenant restore that is cancelled', () => {
  let stage: RestoreStage;
  const LIMIT_MS = 300_000;
  jest.setTimeout(LIMIT_MS);

  const { approve, peerAtWork } = useRestoreStage({}, (opened) => {
    stage = opened.stage;
  });
  afterEach(async () => {
    expect(await leftovers(stage)).toEqual([]);
    await peerAtWork();
  });

  const start = (office: LosingOffice, more: object = {}) =>
    stage.cf.recovery.restoreTenant({ tenant: office.id, to: office.target, requestedBy: 'olive', ...more });

  it(
    'leaves the tenant as it was when it is cancelled, at every step up to the comparison',
    async () => {
      const o = await loseInvoices(
        stage,
        'open',
        'resolving',
        'verifying',
        'restoring-scratch',
        'validating',
        'staging',
      );
      await expectCancelled(
        Object.entries(o).map(([place, office]) => ({
          office,
          hold: () =>
            place === 'open'
              ? holdAfter(stage, office.id, 'restore.open')
              : holdBefore(stage, office.id, place),
        })),
      );
      await expectUnchanged(stage, ...Object.values(o));
    },
    LIMIT_MS,
  );

  it(
    'leaves the tenant as it was when it is cancelled while it freezes, compares, waits, or writes',
    async () => {
      const o = await loseInvoices(stage, 'freezing', 'frozen', 'comparing', 'waiting', 'writing');
      await stage.books.query(`update customers set name = name || ' Ltd' where organisation_id = $1`, [
        o.writing.id,
      ]);
      const damaged = await o.writing.image();
      await expectCancelled([
        { office: o.freezing, hold: () => holdBefore(stage, o.freezing.id, 'freezing') },
        { office: o.frozen, hold: () => holdAfter(stage, o.frozen.id, 'restore.freeze') },
        { office: o.comparing, hold: () => holdTableOf(stage, idOf(o.comparing), 'preview_7') },
        { office: o.waiting, hold: () => holdAfter(stage, o.waiting.id, 'restore.phase') },
      ]);
      const run = await start(o.writing);
      await run.preview({ limitMs: LIMIT_MS });
      const row = await holdByTransaction(
        stage,
        'select from customers where organisation_id = $1 for update',
        [o.writing.id],
      );
      await approve(run);
      await row.reached();
      await run.cancel();
      // The statement ends when the cancellation or the merge's lock timeout comes; before that it could still win.
      await row.left();
      await row.release();
      expect(await failureOf(run.result())).toMatchObject({ code: 'RUN_CANCELLED' });
      await expectUnchanged(stage, { ...o.writing, damaged }, o.freezing, o.frozen, o.comparing, o.waiting);
    },
    LIMIT_MS,
  );

  const REQUEST = 'to be cancelled';
  const idOf = (office: LosingOffice) => restoreIdFor(`restore/${office.id}/to%20be%20cancelled`);
  const expectCancelled = async (
    places: readonly { readonly office: LosingOffice; readonly hold: () => ReturnType<typeof holdAfter> }[],
  ) => {
    const held = await Promise.all(
      places.map(async ({ office, hold }) => ({
        hold: await hold(),
        run: await start(office, { request: REQUEST }),
      })),
    );
    await Promise.all(held.map(({ hold }) => hold.reached()));
    for (const { run } of held) await run.cancel();
    for (const { hold } of held) await hold.release();
    for (const { run } of held) {
      expect(await failureOf(run.result())).toMatchObject({ code: 'RUN_CANCELLED' });
      expect(await stage.cf.recovery.report(restoreIdFor(run.workflowId))).toMatchObject({
        outcome: 'cancelled',
      });
    }
  };
});
