import { userInfo } from 'node:os';

/** Who acts when nobody is named: `CHRONAWFLOW_OPERATOR`, or the account that runs the process. */
export function currentOperator(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const named = env.CHRONAWFLOW_OPERATOR?.trim();
  return named === undefined || named === '' ? userInfo().username : named;
}

/** Who does it; default CHRONAWFLOW_OPERATOR, or the account that runs the process. With signed operators it is whose key signs. */
export interface Actor {
  readonly as?: string;
}
