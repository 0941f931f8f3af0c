export { type ExperimentJournal, experimentJournal } from './journal.pure';
export { type ChaosRunEntry, ChaosRunStore } from './run-store';
export { shortfall } from './shortfall.pure';
