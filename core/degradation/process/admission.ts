import type { PriorityClass } from '../types';

/** What asks to be let in. */
export interface Request {
  /** One that is core is let in at every level, unless it writes while writes are refused. */
  readonly feature?: string;
  /** Default `normal`. */
  readonly priority?: PriorityClass;
  /** Whether it changes the database. */
  readonly writes?: boolean;
}

export type Admission =
  | { readonly admitted: true }
  | {
      readonly admitted: false;
      /** The feature is off, the class's share is used up, or writes are refused. */
      readonly why: 'off' | 'shed' | 'read-only';
      readonly level: string;
      /** When it may be worth another try, in milliseconds. */
      readonly retryAfterMs: number;
    };
