/** How many tests and checks passed, failed and were skipped; pure. */
export const NOTHING = { passed: 0, failed: 0, skipped: 0 };

export function oneCheck(passed) {
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
}

export function addCounts(left, right) {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: left.skipped + right.skipped,
  };
}

/**
 * @param results what `jest --json` wrote; undefined when jest ended before it wrote anything.
 * @param passed whether jest's exit code was 0. If it was not, something failed, even where no test did:
 *   a test file that could not be loaded, a coverage threshold, an open handle.
 */
export function countJest(results, passed) {
  const counted =
    results === undefined
      ? NOTHING
      : {
          passed: results.numPassedTests,
          failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
          skipped: results.numPendingTests + results.numTodoTests,
        };
  return !passed && counted.failed === 0 ? { ...counted, failed: 1 } : counted;
}

export function summaryLine({ passed, failed, skipped }) {
  return [`${passed} passed`, `${failed} failed`, ...(skipped === 0 ? [] : [`${skipped} skipped`])].join(
    ', ',
  );
}
