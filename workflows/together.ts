import { CancellationScope } from '@temporalio/workflow';

/**
 * Runs two steps side by side. When one fails, the other is cancelled and waited for, so that whatever comes next, the
 * clean-up above all, never runs beside a step that is still at work.
 */
export async function together<A, B>(one: () => Promise<A>, other: () => Promise<B>): Promise<[A, B]> {
  return CancellationScope.cancellable(async () => {
    const steps = [one(), other()] as const;
    try {
      return await Promise.all(steps);
    } catch (error) {
      CancellationScope.current().cancel();
      await Promise.allSettled(steps);
      throw error;
    }
  });
}
