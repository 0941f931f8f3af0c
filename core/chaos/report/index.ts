export { type ExperimentJournal, experimentJournal } from './journal.pure';
export { type ChaosRunEntry, ChaosRunStore } from './run-store';
