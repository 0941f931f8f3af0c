/** How much a run does. `--quick` has the same figures from so little work that its numbers only show that it works. */
export interface Scale {
  readonly rounds: number;
  /** Else the backup of the empty tables serves all tasks, and their rows are replayed from the WAL. */
  readonly backupForEachTask: boolean;
  /** Rows of the tenant of the `ratio_60k…`, of the one of the `ratio_1m…`, and of each of the bystanders. */
  readonly smallRows: number;
  readonly largeRows: number;
  readonly bystanders: readonly number[];
  /** How long another tenant's transaction that has read every table stays open during the restore among peers. */
  readonly readerMs: number;
  /** How long another tenant's open write stays idle after the freeze has first been tried. */
  readonly idleWriterMs: number;
  /** How long the peers' stalls are watched before the restore, as a control. */
  readonly controlMs: number;
}

export function scaleOf(quick: boolean): Scale {
  return quick ? QUICK : FULL;
}

const FULL: Scale = {
  rounds: 3,
  backupForEachTask: true,
  smallRows: 60_000,
  largeRows: 1_000_000,
  bystanders: [700_000, 700_000, 600_000],
  readerMs: 30_000,
  idleWriterMs: 4_000,
  controlMs: 10_000,
};

const QUICK: Scale = {
  rounds: 1,
  backupForEachTask: false,
  smallRows: 4_000,
  largeRows: 20_000,
  bystanders: [20_000],
  readerMs: 3_000,
  idleWriterMs: 1_000,
  controlMs: 1_000,
};
