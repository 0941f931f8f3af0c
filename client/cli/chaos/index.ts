import type { Command } from 'commander';
import { registerAbort } from './abort';
import { registerDecide } from './decide';
import { registerLook } from './look';
import { registerReaper } from './reaper';
import { registerRun } from './run';
import { registerSchedule } from './schedule';
import { registerSuite } from './suite';

/** `chronawflow chaos …` */
export function registerChaos(program: Command): void {
  const chaos = program.command('chaos').description('experiments whose faults always end: run, look, abort');
  registerRun(chaos);
  registerSuite(chaos);
  registerSchedule(chaos);
  registerDecide(chaos);
  registerLook(chaos);
  registerAbort(chaos);
  registerReaper(chaos);
}
