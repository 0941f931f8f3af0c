import type { RestoreReport } from '../../client';
import type { RestoreStage } from './restore-stage';
import { leftovers } from './restore-stage-leftovers';
import type { LosingOffice, Office } from './restore-stage-office';

/** Exact to the last byte by SQL that shares nothing with the engine, and by the engine's own proof. */
export async function expectBackAtTarget(office: LosingOffice, report: RestoreReport): Promise<void> {
  expect(report).toMatchObject({ outcome: 'merged', tenant: office.id });
  expect(report.cleanUp).toBeUndefined();
  expect(report.merge?.digestAfter).toBe(report.preview?.digestExpected);
  expect(await office.image()).toEqual(office.atTarget);
}

/** Its rows are those it had after the loss, and nothing of any restore is left. */
export async function expectUnchanged(
  stage: RestoreStage,
  ...offices: readonly LosingOffice[]
): Promise<void> {
  expect(await leftovers(stage)).toEqual([]);
  for (const office of offices) expect(await office.image()).toEqual(office.damaged);
  await expectAtWork(...offices);
}

/** Nobody keeps it from writing; changes its rows, so it comes last. */
export async function expectAtWork(...offices: readonly Office[]): Promise<void> {
  for (const office of offices) {
    const writer = office.writer(99);
    writer.start();
    await writer.waitForCommits(1, 60_000);
    expect((await writer.stop()).refused).toBe(0);
  }
}

/** What a promise was rejected with. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error('it was expected to fail');
    },
    (error: unknown) => error,
  );
}
