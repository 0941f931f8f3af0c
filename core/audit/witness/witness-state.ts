import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { InvalidInputError, whenMissing } from '../../errors';

/** The newest checkpoint of a log that the witness has cosigned. */
export interface Witnessed {
  readonly size: number;
  readonly root: Buffer;
}

const stateSchema = z.record(
  z.string(),
  z.strictObject({ size: z.number().int().nonnegative(), root: z.base64() }),
);

/**
 * What a witness has seen, in a file of its own: on the disk before a cosignature leaves, and replaced in one step, so
 * that no crash makes it forget.
 */
export class WitnessState {
  private constructor(
    private readonly file: string,
    private readonly seen: Map<string, Witnessed>,
  ) {}

  /** @throws InvalidInputError for a file that is no state: a witness that begins anew would cosign a log that was set back */
  static async open(file: string): Promise<WitnessState> {
    const text = await readFile(file, 'utf8').catch(whenMissing(undefined));
    if (text === undefined) return new WitnessState(file, new Map());
    const parsed = stateSchema.safeParse(parseJson(text));
    if (!parsed.success) {
      throw new InvalidInputError(`${file} is not the state of a witness.`, {
        hint: 'Bring the file back from its copy. Only when you are sure that no log was set back, begin with a new one.',
      });
    }
    const seen = Object.entries(parsed.data).map(
      ([origin, { size, root }]) => [origin, { size, root: Buffer.from(root, 'base64') }] as const,
    );
    return new WitnessState(file, new Map(seen));
  }

  of(origin: string): Witnessed | undefined {
    return this.seen.get(origin);
  }

  async remember(origin: string, witnessed: Witnessed): Promise<void> {
    const next = new Map(this.seen).set(origin, witnessed);
    const text = JSON.stringify(
      Object.fromEntries(
        [...next].map(([name, { size, root }]) => [name, { size, root: root.toString('base64') }]),
      ),
    );
    const draft = `${this.file}.draft`;
    const handle = await open(draft, 'w', 0o600);
    try {
      await handle.writeFile(`${text}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, this.file);
    await syncDirectory(dirname(this.file));
    this.seen.set(origin, witnessed);
  }
}

/** The rename itself has to be on the disk. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
