import { closest } from 'fastest-levenshtein';
import { InvalidInputError } from '../../errors';
import type { AnyDriver } from './driver';
import { backupFlipped, backupLost } from './files/backup-files';
import { diskFull } from './files/disk-full';
import { netemDrivers } from './network/netem-drivers';
import { sessionDrivers } from './postgres/session-drivers';
import { replicationPaused, settingsDrivers } from './postgres/settings-drivers';
import { pressureDrivers } from './process/pressure-drivers';
import { processDrivers } from './process/process-drivers';
import { toxiproxyDrivers } from './toxiproxy/toxics';

const BUILT_IN: readonly AnyDriver[] = [
  ...toxiproxyDrivers,
  ...processDrivers,
  ...pressureDrivers,
  ...sessionDrivers,
  ...settingsDrivers,
  replicationPaused,
  diskFull,
  backupFlipped,
  backupLost,
  ...netemDrivers,
];

/** Every fault there is, by name. A name that is not here is refused: nothing else can be made of a lease. */
export class FaultDrivers {
  private readonly byName: ReadonlyMap<string, AnyDriver>;

  /** @param more those that need a connection which their process has */
  constructor(more: readonly AnyDriver[] = []) {
    this.byName = new Map([...BUILT_IN, ...more].map((driver) => [driver.name, driver]));
  }

  get names(): readonly string[] {
    return [...this.byName.keys()];
  }

  get all(): readonly AnyDriver[] {
    return [...this.byName.values()];
  }

  /** @throws InvalidInputError naming the nearest */
  get(name: string): AnyDriver {
    const driver = this.byName.get(name);
    if (driver !== undefined) return driver;
    throw new InvalidInputError(
      `There is no fault '${name}'; did you mean '${closest(name, [...this.names])}'?`,
      {
        hint: `Faults: ${this.names.join(', ')}.`,
      },
    );
  }
}
