import { InvalidArgumentError } from 'commander';

/** A port's number. */
export function port(text: string): string {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('give a number from 0 (any free one) to 65535');
  return text;
}
