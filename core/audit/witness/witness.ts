import { EMPTY_ROOT, verifyConsistency } from '../merkle';
import {
  formatSignatureLine,
  NoteInvalidError,
  parseCheckpoint,
  parseNote,
  type SigningKey,
  signNote,
  type VerifierKey,
  verifyNote,
} from '../note';
import { parseWitnessRequest, type WitnessRequest } from './request.pure';
import type { WitnessState } from './witness-state';

export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly contentType: string;
  readonly body: string;
}

/**
 * Sees that a log only grows: it cosigns a checkpoint that is proved to hold everything of the last one it has cosigned,
 * and refuses every other. It knows nothing of what is in the log. Source: C2SP tlog-witness.
 */
export class Witness {
  /** One request at a time: looking at what was seen and remembering what is seen now are one step. */
  private last: Promise<unknown> = Promise.resolve();

  /**
   * @param keys it cosigns with; each of a cosignature's kind
   * @param logs whose checkpoints it looks at
   */
  constructor(
    private readonly keys: readonly SigningKey[],
    private readonly logs: readonly VerifierKey[],
    private readonly state: WitnessState,
  ) {}

  addCheckpoint(body: string): Promise<WitnessAnswer> {
    const answer = this.last.then(() => this.decide(body));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  private async decide(body: string): Promise<WitnessAnswer> {
    let request: WitnessRequest;
    try {
      request = parseWitnessRequest(body);
      parseNote(request.checkpoint);
    } catch (error) {
      if (error instanceof NoteInvalidError) return refusal(400, error.message);
      throw error;
    }
    const note = parseNote(request.checkpoint);
    const origin = note.text.split('\n', 1)[0] ?? '';
    // A log whose key was changed has several, all of its name.
    const keys = this.logs.filter(({ name }) => name === origin);
    if (keys.length === 0) return refusal(404, 'this log is not known here');
    try {
      verifyNote(note, keys);
    } catch (error) {
      if (error instanceof NoteInvalidError) return refusal(403, error.message);
      throw error;
    }
    return this.grow(origin, note.text, request);
  }

  private async grow(
    origin: string,
    text: string,
    { oldSize, proof }: WitnessRequest,
  ): Promise<WitnessAnswer> {
    const { size, root } = parseCheckpoint(text);
    if (oldSize > size) return refusal(400, 'the old size is above the new one');
    const seen = this.state.of(origin) ?? { size: 0, root: EMPTY_ROOT };
    if (seen.size !== oldSize)
      return { status: 409, contentType: 'text/x.tlog.size', body: `${seen.size}\n` };
    if (seen.size === size && !seen.root.equals(root)) {
      return refusal(409, 'another tree of this size was cosigned here');
    }
    const grown = verifyConsistency({ from: seen, to: { size, root }, proof });
    if (!grown) return refusal(422, 'it is not proved that the log has only grown');
    await this.state.remember(origin, { size, root });
    const now = new Date();
    const lines = this.keys.map((key) => formatSignatureLine(signNote(key, text, now)));
    return { status: 200, contentType: 'text/plain; charset=utf-8', body: lines.join('') };
  }
}

function refusal(status: WitnessAnswer['status'], reason: string): WitnessAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${reason}\n` };
}
