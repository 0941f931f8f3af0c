import type { Command } from 'commander';
import { registerDead } from './dead';
import { registerHold } from './hold';
import { registerLook } from './look';
import { registerSchedule } from './schedule';
import { registerSubmit } from './submit';
import { registerUndone } from './undone';

/** `chronawflow jobs …` */
export function registerJobs(program: Command): void {
  const jobs = program
    .command('jobs')
    .description('tenant jobs: submit, look, dead letters, quarantine, schedules');
  registerSubmit(jobs);
  registerLook(jobs);
  registerDead(jobs);
  registerHold(jobs);
  registerUndone(jobs);
  registerSchedule(jobs);
}
