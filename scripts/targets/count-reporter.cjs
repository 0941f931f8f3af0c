const { writeFileSync } = require('node:fs');

/** A jest reporter that leaves the run's totals in the file that CHRONAWFLOW_TEST_COUNTS names. */
module.exports = class CountReporter {
  onRunComplete(_contexts, results) {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests, numTodoTests } =
      results;
    writeFileSync(
      process.env.CHRONAWFLOW_TEST_COUNTS,
      JSON.stringify({
        numPassedTests,
        numFailedTests,
        numRuntimeErrorTestSuites,
        numPendingTests,
        numTodoTests,
      }),
    );
  }
};
