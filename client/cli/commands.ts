import type { Command } from 'commander';

/** Commands of one file, which is loaded when one of them is called. */
export interface CommandGroup {
  readonly names: readonly string[];
  readonly register: (program: Command) => void;
}

const load: <Module>(file: string) => Module = require;

/** In the order of the help. The libraries of all together take half a second and 60 MB, those of one a fraction. */
export const COMMAND_GROUPS: readonly CommandGroup[] = [
  { names: ['up', 'down'], register: (to) => load<typeof import('./up')>('./up').registerUp(to) },
  { names: ['doctor'], register: (to) => load<typeof import('./doctor')>('./doctor').registerDoctor(to) },
  { names: ['prepare'], register: (to) => load<typeof import('./prepare')>('./prepare').registerPrepare(to) },
  { names: ['worker'], register: (to) => load<typeof import('./worker')>('./worker').registerWorker(to) },
  {
    names: ['recovery'],
    register: (to) => load<typeof import('./recovery')>('./recovery').registerRecovery(to),
  },
  { names: ['jobs'], register: (to) => load<typeof import('./jobs')>('./jobs').registerJobs(to) },
  {
    names: ['audit', 'witness'],
    register: (to) => load<typeof import('./audit')>('./audit').registerAudit(to),
  },
  { names: ['chaos'], register: (to) => load<typeof import('./chaos')>('./chaos').registerChaos(to) },
  { names: ['domains'], register: (to) => load<typeof import('./domains')>('./domains').registerDomains(to) },
  { names: ['keys'], register: (to) => load<typeof import('./keys')>('./keys').registerKeys(to) },
  {
    names: ['codec-server'],
    register: (to) => load<typeof import('./codec-server')>('./codec-server').registerCodecServer(to),
  },
  {
    names: ['operators'],
    register: (to) => load<typeof import('./operators')>('./operators').registerOperators(to),
  },
  {
    names: ['degradation'],
    register: (to) => load<typeof import('./degradation')>('./degradation').registerDegradation(to),
  },
  { names: ['status'], register: (to) => load<typeof import('./status')>('./status').registerStatus(to) },
  { names: ['contain'], register: (to) => load<typeof import('./contain')>('./contain').registerContain(to) },
  {
    names: ['escalation'],
    register: (to) => load<typeof import('./escalation')>('./escalation').registerEscalation(to),
  },
];
