/** Where the engine tells what an operator may want to know; a pino logger is one. */
export interface StepLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}
