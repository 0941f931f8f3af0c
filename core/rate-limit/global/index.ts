export type { GlobalLimits, LeaseAnswer, LeasedMeter } from './leased-meter';
