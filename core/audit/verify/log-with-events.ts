import { STORED_EVENT, type StoredEvent } from '../event';
import { type Bundle, StoredLog } from '../log';
import { TILE_WIDTH } from '../merkle';

type Row = { readonly eventId: string } & (StoredEvent | { readonly id: null });

/** Reads the events as they are stored together with the entries that they are compared with. */
export class LogWithEvents extends StoredLog {
  /** Of the bundle that was read last: the events by their entries' places, undefined for those that are gone. */
  events: readonly { readonly eventId: string; readonly stored: StoredEvent | undefined }[] = [];

  override async bundle(index: number, width: number): Promise<Bundle> {
    const bundle = await super.bundle(index, width);
    const { rows } = await this.database.query<Row>(
      `select coalesce(p.event_id, '') as "eventId", ${STORED_EVENT}
         from chronawflow.audit_bundle b cross join unnest(b.event_ids) with ordinality p (event_id, n)
         left join chronawflow.audit_event e on e.id = p.event_id
        where b.log = $1 and b.first >= $2 and b.first < $3 order by b.first, p.n`,
      [this.log.id, index * TILE_WIDTH, index * TILE_WIDTH + width],
    );
    if (rows.length !== width) throw this.missing('event IDs', index, rows.length, width);
    this.events = rows.map(({ eventId, ...event }) => ({
      eventId,
      stored: event.id === null ? undefined : event,
    }));
    return bundle;
  }
}
