import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../config';

/** A port's number. */
export function port(text: string): string {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('give a number from 0 (any free one) to 65535');
  return text;
}

/** `400d` or milliseconds; more than nothing. */
export function durationOption(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms === 0) throw new InvalidArgumentError("write it like '30s', '2h' or '400d'");
  return ms;
}
