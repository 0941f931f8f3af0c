import { type Command, InvalidArgumentError } from 'commander';
import type { JobPriority, SubmitRequest } from '../../../core/jobs';
import { currentOperator } from '../../operator';

/** A value as JSON. Commander takes a bare `null` for an option without a value. */
export function json(text: string): { readonly value: unknown } {
  try {
    return { value: JSON.parse(text) };
  } catch {
    throw new InvalidArgumentError('this is no JSON');
  }
}

export function priority(text: string): JobPriority {
  switch (text) {
    case '1':
      return 1;
    case '2':
      return 2;
    case '3':
      return 3;
    case '4':
      return 4;
    case '5':
      return 5;
    default:
      throw new InvalidArgumentError('choose 1 (most urgent) to 5');
  }
}

/** `result`, `reject`, or a time within which the same input is the same job. */
export function dedupe(text: string): SubmitRequest['dedupe'] {
  return text === 'result' || text === 'reject' ? text : { within: text };
}

export function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0) || !Number.isFinite(value))
    throw new InvalidArgumentError('give a number above 0');
  return value;
}

/** The arguments that name one job. */
export function withJob(command: Command): Command {
  return command
    .argument('<tenant>', 'the tenant’s key')
    .argument('<type>', 'the job’s type')
    .argument('<key>', 'the job’s key');
}

/** Where a limit applies; absent parts stand for any. */
export function withBoundary(command: Command): Command {
  return command.option('--tenant <key>', 'of this tenant only').option('--type <type>', 'of this type only');
}

/** Where a hold applies: as for a limit, or one job. */
export function withHoldBoundary(command: Command): Command {
  return withBoundary(command).option('--key <key>', 'one job, with --tenant and --type');
}

/** At what rate held work comes back. */
export function withRate(command: Command): Command {
  return command.option(
    '--rate <n/s>',
    'how many may come back per second, such as 10/s; default all',
    perSecond,
  );
}

/** `10/s`, `300/m`, `2/h`, or a number per second. */
export function perSecond(text: string): number {
  const [, count = '', unit = 's'] = /^([\d.]+)(?:\/(s|m|h))?$/.exec(text.trim()) ?? [];
  const seconds = { s: 1, m: 60, h: 3_600 }[unit] ?? Number.NaN;
  const rate = Number(count) / seconds;
  if (!(rate > 0) || !Number.isFinite(rate))
    throw new InvalidArgumentError('give a number per second, minute or hour, such as 10/s');
  return rate;
}

export function withActor(command: Command): Command {
  return command.option('--as <name>', 'who does it, for the audit log', currentOperator());
}
