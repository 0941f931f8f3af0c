import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { chaosPorts } from './chaos/ports';
import { StackStateInvalidError } from './stack-state-invalid-error';

const port = z.number().int().min(1).max(65_535);

const stackState = z.strictObject({
  /** Where the servers' data is; see StackLayout. */
  servers: z.string(),
  sockets: z.string().optional(),
  ports: z.strictObject({
    temporal: port,
    web: port,
    application: port,
    platform: port,
    metrics: port,
    /** Of the controllers' process; stacks of version 0.1 had none. */
    control: port.optional(),
  }),
  /** Of what `up --chaos` added. */
  chaos: chaosPorts.optional(),
});

/** What a stack remembers from one start to the next. No secrets. */
export type StackState = z.output<typeof stackState>;
export type StackPorts = Required<StackState['ports']>;

export async function readState(file: string): Promise<StackState | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return stackState.parse(JSON.parse(text));
  } catch (cause) {
    throw new StackStateInvalidError(file, cause);
  }
}

export async function writeState(file: string, state: StackState): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o755 });
  await writeFile(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o644 });
  await rename(`${file}.new`, file);
}
