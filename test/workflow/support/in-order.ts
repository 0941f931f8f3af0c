/** The steps in their order, without those that run beside others: each of these must be there exactly once. */
export function inOrder(steps: readonly string[], besides: readonly string[]): string[] {
  expect(steps.filter((step) => besides.includes(step)).sort()).toEqual([...besides].sort());
  return steps.filter((step) => !besides.includes(step));
}
