/** `<=1.15`, `>=0.9`, `==0`: what a figure has to meet. */
export type Goal = `${'<=' | '>=' | '=='}${number}`;

export type Figures = Readonly<Record<string, number>>;
export type Goals = Readonly<Record<string, Goal>>;

/** The last line of a benchmark's output. */
export interface BenchmarkResult {
  readonly bench: string;
  readonly figures: Figures;
  readonly goals: Goals;
  /** Names of the figures that do not meet their goal, or were not measured. */
  readonly missed: readonly string[];
}

export function judge(bench: string, figures: Figures, goals: Goals): BenchmarkResult {
  const missed = Object.entries(goals)
    .filter(([name, goal]) => !meets(figures[name], goal))
    .map(([name]) => name);
  return { bench, figures, goals, missed };
}

function meets(figure: number | undefined, goal: Goal): boolean {
  if (figure === undefined || Number.isNaN(figure)) return false;
  const limit = Number(goal.slice(2));
  switch (goal.slice(0, 2)) {
    case '<=':
      return figure <= limit;
    case '>=':
      return figure >= limit;
    default:
      return figure === limit;
  }
}
