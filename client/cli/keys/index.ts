import type { Command } from 'commander';
import { registerDestroy } from './destroy';
import { registerKeyList } from './list';
import { registerRotate } from './rotate';

/** `chronawflow keys …` */
export function registerKeys(program: Command): void {
  const keys = program.command('keys').description('keys that encrypt what Temporal stores of each tenant');
  registerKeyList(keys);
  registerRotate(keys);
  registerDestroy(keys);
}
