import { STORED_EVENT, type StoredEvent } from '../event';
import { type Bundle, ListedBundle, StoredLog } from '../log';

type Row = { readonly entry: Buffer; readonly eventId: string | null } & (
  | StoredEvent
  | { readonly id: null }
);

/** Reads the events as they are stored together with the entries that they are compared with. */
export class LogWithEvents extends StoredLog {
  /** Of the bundle that was read last: the events by their entries' places, undefined for those that are gone. */
  events: readonly { readonly eventId: string; readonly stored: StoredEvent | undefined }[] = [];

  override async bundle(index: number, width: number): Promise<Bundle> {
    const rows = await this.select<Row>(
      index,
      width,
      `n.entry, n.event_id as "eventId", ${STORED_EVENT}`,
      'left join chronawflow.audit_event e on e.id = n.event_id',
    );
    this.events = rows.map(({ eventId, ...event }) => ({
      eventId: eventId ?? '',
      stored: event.id === null ? undefined : event,
    }));
    return new ListedBundle(rows.map(({ entry }) => entry));
  }
}
