import { ChronawflowError, messageOf } from '../errors';

export type FindingState = 'ok' | 'warning' | 'broken' | 'skipped';

/** What one check found. */
export interface Finding {
  readonly name: string;
  readonly state: FindingState;
  /** What is there, or what is wrong. */
  readonly detail: string;
  /** How to mend it; always present when `broken`. */
  readonly fix?: string;
}

export const ok = (name: string, detail: string): Finding => ({ name, state: 'ok', detail });
export const skipped = (name: string, detail: string): Finding => ({ name, state: 'skipped', detail });
export const warning = (name: string, detail: string, fix: string): Finding => ({
  name,
  state: 'warning',
  detail,
  fix,
});
export const broken = (name: string, detail: string, fix: string): Finding => ({
  name,
  state: 'broken',
  detail,
  fix,
});

/** One thing to look at; `fallbackFix` is for what it throws without a hint of its own. */
export interface Check {
  readonly name: string;
  readonly fallbackFix: string;
  readonly look: () => Promise<readonly Finding[]>;
}

/** Runs a check to its findings, whatever happens in it. */
export async function runCheck(check: Check): Promise<readonly Finding[]> {
  try {
    return await check.look();
  } catch (error) {
    const hint = error instanceof ChronawflowError ? error.hint : undefined;
    return [broken(check.name, messageOf(error), hint ?? check.fallbackFix)];
  }
}
