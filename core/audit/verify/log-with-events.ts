import { StoredLog } from '../log';

/** Reads the IDs of the events together with the entries that they are compared with. */
export class LogWithEvents extends StoredLog {
  /** Of the bundle that was read last. */
  eventIds: readonly (string | null)[] = [];

  override async bundle(index: number, width: number): Promise<readonly Buffer[]> {
    const rows = await this.rows(index, width);
    this.eventIds = rows.map(({ eventId }) => eventId);
    return rows.map(({ entry }) => entry);
  }
}
