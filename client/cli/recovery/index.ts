import type { Command } from 'commander';
import { registerCluster } from './cluster';
import { registerDecide } from './decide';
import { registerDrill } from './drill';
import { registerLook } from './look';
import { registerPoints } from './points';
import { registerRestore } from './restore';
import { registerSchedule } from './schedule';

/** `chronawflow recovery …` */
export function registerRecovery(program: Command): void {
  const recovery = program.command('recovery').description('recovery points, tenant restores, undo');
  registerPoints(recovery);
  registerRestore(recovery);
  registerLook(recovery);
  registerDecide(recovery);
  registerSchedule(recovery);
  registerCluster(recovery);
  registerDrill(recovery);
}
