import type { z } from 'zod';
import { InvalidInputError } from '../errors';

/** Options with defaults filled in and durations in milliseconds. @throws InvalidInputError naming the option */
export function parseOptions<Schema extends z.ZodType>(
  schema: Schema,
  options: unknown,
  owner: string,
): z.output<Schema> {
  const parsed = schema.safeParse(options ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const path = issue.path.map(String).join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  throw new InvalidInputError(`${owner}: ${problems.join('; ')}`, { details: { owner, problems } });
}
