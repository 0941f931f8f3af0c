import { readFile } from 'node:fs/promises';
import { readExperiment } from '../../../core/chaos';
import { InvalidInputError, messageOf } from '../../../core/errors';

/** The experiment in a file, checked, as it was written. @throws InvalidInputError, ExperimentInvalidError with line and column */
export async function readDocument(file: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new InvalidInputError(`${file} cannot be read: ${messageOf(cause)}`, { cause });
  });
  return readExperiment(text, file).document;
}
