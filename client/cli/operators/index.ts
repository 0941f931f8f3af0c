import type { Command } from 'commander';
import { registerApprove } from './approve';
import { registerChange } from './change';
import { registerKeygen } from './keygen';
import { registerList } from './list';

/** `chronawflow operators …` */
export function registerOperators(program: Command): void {
  const operators = program
    .command('operators')
    .description('who may do what: keys, roles, and statements that an administrator signs');
  registerKeygen(operators);
  registerList(operators);
  registerChange(operators);
  registerApprove(operators);
}
