/** Collects promises whose rejection nobody handled, from now until the test file is over. */
export function watchUnhandled(): { readonly seen: readonly unknown[]; settle(): Promise<void> } {
  const seen: unknown[] = [];
  const listener = (reason: unknown) => seen.push(reason);
  process.on('unhandledRejection', listener);
  afterAll(() => process.off('unhandledRejection', listener));
  return {
    seen,
    // Node reports them when the microtasks of a turn are done; two turns see all that were there.
    settle: async () => {
      for (const _ of [1, 2]) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
