import type { Conflict } from '../types';

/** A conflict whose message is written when all its rows are known. */
export interface Finding extends Omit<Conflict, 'message'> {
  readonly message: (rows: number) => string;
}

/**
 * Conflicts collected over several passes. Those that block are found anew in every pass; rows that were skipped or mapped
 * are out of the next one, so they add up.
 */
export class Findings {
  private settled: Finding[] = [];
  private blocking: Finding[] = [];
  private inPass = false;
  /** Rows that the current pass skipped or mapped. */
  settledInPass = 0;

  nextPass(): void {
    this.inPass = true;
    this.blocking = [];
    this.settledInPass = 0;
  }

  add(finding: Finding): void {
    if (this.inPass && finding.decision === 'block') {
      this.blocking.push(finding);
      return;
    }
    this.settledInPass += finding.rows;
    const same = this.settled.findIndex(
      (one) =>
        one.table === finding.table &&
        one.kind === finding.kind &&
        one.decision === finding.decision &&
        one.message(0) === finding.message(0),
    );
    const before = this.settled[same];
    if (before === undefined) this.settled.push(finding);
    else this.settled[same] = { ...finding, rows: before.rows + finding.rows };
  }

  conflicts(): Conflict[] {
    return [...this.settled, ...this.blocking].map((one) => ({ ...one, message: one.message(one.rows) }));
  }
}
