export { htmlReport, type SuiteRun } from './html-report.pure';
export { junit } from './junit.pure';
export { pick } from './pick.pure';
export { type ResilienceScore, resilienceScore, type SuiteEntry } from './score.pure';
export { seededRandom } from './seeded-random.pure';
