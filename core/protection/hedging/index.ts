export { Hedging, type HedgingOptions } from './hedging';
