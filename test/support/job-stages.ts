import { z } from 'zod';
import { defineJob } from '../../core/jobs';
import { CleanUp } from './clean-up';
import { type JobStage, startJobStage } from './job-stage';

/** For one test file: a stage for all its tests, and a clean-up for each; both handed to `take`. */
export function useJobStage(
  take: (opened: { readonly stage: JobStage; readonly cleanUp: CleanUp }) => void,
): void {
  let stage: JobStage;
  let cleanUp: CleanUp | undefined;
  beforeAll(async () => {
    stage = await startJobStage();
  }, 240_000);
  beforeEach(() => {
    cleanUp = new CleanUp();
    take({ stage, cleanUp });
  });
  afterEach(() => cleanUp?.run());
  afterAll(() => stage?.stop(), 120_000);
}

/** A job whose effect is a row of its name. */
export const post = defineJob({
  type: 'post',
  input: z.object({ name: z.string() }),
  run: (ctx, { name }) =>
    ctx.once('insert', async (tx) => {
      await tx.query('insert into effect values ($1)', [name]);
      return { posted: name };
    }),
});

/** How often a job of this name had its effect. */
export const effectsOf = async ({ app }: Pick<JobStage, 'app'>, name: string) =>
  (await app.query('select from effect where name = $1', [name])).rowCount;
