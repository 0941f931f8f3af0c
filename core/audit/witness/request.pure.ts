import { HASH_BYTES } from '../merkle';
import { decodeBase64, NoteInvalidError } from '../note';

/** What a log asks a witness: to check that its checkpoint grows out of the one of `oldSize`. */
export interface WitnessRequest {
  readonly oldSize: number;
  readonly proof: readonly Buffer[];
  /** The signed note. */
  readonly checkpoint: string;
}

/** Source: C2SP tlog-witness, "add-checkpoint". */
const MAX_PROOF = 63;

export function formatWitnessRequest({ oldSize, proof, checkpoint }: WitnessRequest): string {
  return [`old ${oldSize}`, ...proof.map((hash) => hash.toString('base64')), '', checkpoint].join('\n');
}

/** @throws NoteInvalidError */
export function parseWitnessRequest(body: string): WitnessRequest {
  const end = body.indexOf('\n\n');
  const [first = '', ...lines] = body.slice(0, Math.max(0, end)).split('\n');
  const oldSize = /^old (0|[1-9]\d{0,15})$/.exec(first)?.[1];
  if (end < 0 || oldSize === undefined || !Number.isSafeInteger(Number(oldSize))) {
    throw invalid('it does not begin with "old" and a size, and has no empty line');
  }
  if (lines.length > MAX_PROOF) throw invalid(`its proof has more than ${MAX_PROOF} hashes`);
  const proof = lines.map((line) => {
    const hash = decodeBase64(line);
    if (hash?.length !== HASH_BYTES) throw invalid('its proof has a line that is no hash');
    return hash;
  });
  return { oldSize: Number(oldSize), proof, checkpoint: body.slice(end + 2) };
}

function invalid(reason: string): NoteInvalidError {
  return new NoteInvalidError('request to a witness', reason);
}
