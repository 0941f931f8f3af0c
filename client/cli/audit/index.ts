import type { Command } from 'commander';
import { registerErase } from './erase';
import { registerKeygen } from './keygen';
import { registerProve } from './prove';
import { registerRetain } from './retain';
import { registerSeal } from './seal';
import { registerVerify } from './verify';
import { registerWitness } from './witness';

/** `chronawflow audit …` */
export function registerAudit(program: Command): void {
  const audit = program
    .command('audit')
    .description('the audit log that proves itself: seal, verify, export, receipts');
  registerVerify(audit);
  registerProve(audit);
  registerSeal(audit);
  registerKeygen(audit);
  registerErase(audit);
  registerRetain(audit);
  registerWitness(program);
}
