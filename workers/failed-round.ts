interface Log {
  warn(fields: object, message: string): void;
}

/** Says of a round of something repeated that it failed. */
export function failedRound(log: Log, what: string): (error: unknown) => void {
  return (err) => log.warn({ err }, `${what} failed; the next round tries again`);
}
