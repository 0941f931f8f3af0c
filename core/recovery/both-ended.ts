/**
 * The results of two pieces of work side by side. When one fails, the other is waited for before the error is thrown:
 * nothing of a step may still be at work when it is tried again or cleaned up after. When both fail, the first one's error
 * counts.
 */
export async function bothEnded<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}
