import { ChronawflowError } from '../../errors';

/** Triggers that fire even in replica role would run application code on the rows that the merge writes. */
export class TriggersFireError extends ChronawflowError {
  readonly code = 'TRIGGERS_FIRE';

  constructor(triggers: readonly { readonly table: string; readonly trigger: string }[]) {
    const list = triggers.map(({ table, trigger }) => `${trigger} on ${table}`).join(', ');
    super(
      `These triggers are ENABLE ALWAYS or REPLICA and would fire for every row the merge writes: ${list}.`,
      {
        hint: 'If that is right, allow them: tenancy.overrides."<table>".allowTriggers: [<trigger>]',
        details: { triggers },
      },
    );
  }
}
