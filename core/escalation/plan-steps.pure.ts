import type { EscalationStep } from './types';

export const LEVEL_NAMES: Readonly<Record<number, string>> = {
  1: 'team',
  2: 'SRE lead',
  3: 'infrastructure lead',
  4: 'CTO',
  5: 'executive',
};

export interface PlanRules {
  readonly levels: readonly {
    readonly level: number;
    readonly name?: string;
    readonly notify: readonly unknown[];
  }[];
  readonly severities: Readonly<
    Record<string, { readonly first: number; readonly highest: number; readonly after: number }>
  >;
  readonly repeats: number;
}

/**
 * Whom to tell of an alert, in order. The levels from the severity's first to its highest, as far as there are such, then the
 * last of them again. A severity that is not configured pages nobody.
 */
export function planSteps({ levels, severities, repeats }: PlanRules, severity: string): EscalationStep[] {
  const rule = Object.hasOwn(severities, severity) ? severities[severity] : undefined;
  if (rule === undefined) return [];
  const steps = levels
    .filter(({ level }) => level >= rule.first && level <= rule.highest)
    .sort((a, b) => a.level - b.level)
    .map(
      ({ level, name = LEVEL_NAMES[level] ?? `level ${level}`, notify }): EscalationStep => ({
        level,
        name,
        channels: notify.length,
        waitMs: rule.after,
      }),
    );
  const last = steps.at(-1);
  return last === undefined ? [] : [...steps, ...Array.from({ length: repeats }, () => last)];
}
