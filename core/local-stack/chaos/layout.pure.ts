import { join } from 'node:path';
import { type ProcessPlace, processPlace, type ServerPlace, serverPlace } from '../places.pure';

/** Every path of what `up --chaos` adds to a stack. */
export interface ChaosLayout {
  readonly directory: string;
  /** The reaper's. */
  readonly journal: string;
  /** The configuration of what is disturbed: its ways lead through Toxiproxy. */
  readonly configFile: string;
  readonly auditKey: string;
  readonly toxiproxy: ProcessPlace;
  readonly secondWorker: ProcessPlace;
  readonly sealer: ProcessPlace;
  readonly office: ProcessPlace;
  readonly tax: ProcessPlace;
  readonly standby: ServerPlace;
}

export function chaosLayout(home: string, servers: string): ChaosLayout {
  const directory = join(home, 'chaos');
  return {
    directory,
    journal: join(directory, 'journal'),
    configFile: join(directory, 'disturbed.yaml'),
    auditKey: join(directory, 'audit.key'),
    toxiproxy: processPlace(directory, 'toxiproxy'),
    secondWorker: processPlace(directory, 'second-worker'),
    sealer: processPlace(directory, 'sealer'),
    office: processPlace(directory, 'office'),
    tax: processPlace(directory, 'tax'),
    standby: serverPlace(servers, 'standby'),
  };
}
