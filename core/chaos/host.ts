import type { ChaosTarget } from '../../config';
import type { AnyDriver, FaultDrivers } from './drivers';
import type { FaultLease, LeaseJournal, LeaseStore } from './lease';
import { type AllowList, allowedTarget } from './targets';

/** What this host knows of faults: its journal, its drivers, its own allow-list, and the control plane when it is there. */
export interface ChaosHost {
  readonly host: string;
  readonly journal: LeaseJournal;
  readonly drivers: FaultDrivers;
  readonly targets: AllowList;
  readonly store?: LeaseStore;
  readonly log: {
    info(facts: object, message: string): void;
    warn(facts: object, message: string): void;
    error(facts: object, message: string): void;
  };
}

export interface ResolvedFault {
  readonly driver: AnyDriver;
  readonly target: ChaosTarget;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** A lease's names and parameters, checked against this host's own registry and allow-list. @throws what is not allowed */
export function resolveFault(
  { drivers, targets }: Pick<ChaosHost, 'drivers' | 'targets'>,
  wanted: Pick<FaultLease, 'driver' | 'target'> & { readonly parameters: unknown },
): ResolvedFault {
  const driver = drivers.get(wanted.driver);
  return {
    driver,
    target: allowedTarget(targets, wanted.target),
    parameters: driver.parse(wanted.parameters),
  };
}
