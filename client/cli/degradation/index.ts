import type { Command } from 'commander';
import { registerByHand } from './by-hand';
import { registerSimulate } from './simulate';
import { registerDegradationStatus } from './status';

/** `chronawflow degradation status|set|release|read-only|writable|simulate` */
export function registerDegradation(program: Command): void {
  const degradation = program.command('degradation').description('levels of degradation');
  registerDegradationStatus(degradation);
  registerByHand(degradation);
  registerSimulate(degradation);
}
