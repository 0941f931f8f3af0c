/** A record as the database sees it now: `expired` and `lapsed` were decided by its own clock. */
export type RecordState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'started'; readonly fingerprint: string; readonly lapsed: boolean }
  | { readonly kind: 'completed'; readonly fingerprint: string; readonly expired: boolean };

export type StartDecision = 'start' | 'take-over' | 'wait' | 'replay' | 'reject';

/** What a request may do that comes with this fingerprint (README.md, invariants 2, 3 and 6). */
export function decideStart(record: RecordState, fingerprint: string): StartDecision {
  switch (record.kind) {
    case 'absent':
      return 'start';
    case 'completed':
      if (record.expired) return 'start';
      return record.fingerprint === fingerprint ? 'replay' : 'reject';
    case 'started':
      if (record.fingerprint !== fingerprint) return 'reject';
      return record.lapsed ? 'take-over' : 'wait';
  }
}
