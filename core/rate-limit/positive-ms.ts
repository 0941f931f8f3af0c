import { InvalidInputError } from '../errors';

/** A duration in milliseconds as it was given. @throws InvalidInputError naming the option. */
export function positiveMs(option: string, value: number): number {
  // Longer than a timer can be set for, it would fire at once.
  if (Number.isFinite(value) && value > 0 && value <= 2 ** 31 - 1) return value;
  throw new InvalidInputError(`${option}: ${value} is no time in milliseconds.`, { details: { option } });
}
