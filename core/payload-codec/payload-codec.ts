import { PayloadDamagedError } from './errors/payload-damaged-error';
import { PayloadMisplacedError } from './errors/payload-misplaced-error';
import { PlainPayloadRefusedError } from './errors/plain-payload-refused-error';
import type { KeyRing } from './keys/key-ring';
import { payloadOwner } from './payload-owner.pure';
import { type PlainInput, wrapPlain } from './plain-input.pure';
import { isSealed, openPayload, sealedWith, sealPayload } from './seal-payload';
import type { Payload, PayloadContext, PayloadOwner } from './types';

export interface PayloadCodecOptions {
  readonly namespace: string;
  readonly keys: Pick<KeyRing, 'toSeal' | 'toOpen'>;
  readonly plain: {
    /** Whether a workflow's input may be plain; only where workflows run. */
    readonly asInput: 'accept' | 'refuse' | 'not-here';
    /** Milliseconds since the epoch until which plain payloads are taken everywhere. */
    readonly until: number;
  };
}

const JSON_PLAIN = 'json/plain';
const NULL = 'binary/null';

/** Encrypts and decrypts payloads; what the SDK calls a payload codec. README.md lists the invariants. */
export class PayloadCodec {
  constructor(private readonly options: PayloadCodecOptions) {}

  /** @throws PayloadKeyDestroyedError, KeyEncryptionKeyInvalidError */
  async encode(payloads: Payload[], context?: PayloadContext): Promise<Payload[]> {
    return this.encodeFor(payloadOwner(context?.workflowId), payloads);
  }

  /** Where it is known whose payloads they are. */
  async encodeFor(owner: PayloadOwner, payloads: readonly Payload[]): Promise<Payload[]> {
    const { keys, namespace } = this.options;
    const found = keys.toSeal(owner);
    // Without a turn of the event loop where the key is at hand.
    const key = found instanceof Promise ? await found : found;
    return payloads.map((payload) => sealPayload(payload, key, namespace));
  }

  /** @throws PlainPayloadRefusedError, PayloadMisplacedError, PayloadDamagedError, PayloadKeyDestroyedError, PayloadKeyUnknownError */
  async decode(payloads: Payload[], context?: PayloadContext): Promise<Payload[]> {
    const opened: Payload[] = [];
    for (const payload of payloads) {
      opened.push(isSealed(payload) ? await this.open(payload, context) : this.plain(payload, context));
    }
    return opened;
  }

  private async open(payload: Payload, context: PayloadContext | undefined): Promise<Payload> {
    const { keyId, owner } = sealedWith(payload);
    if (context?.workflowId !== undefined && payloadOwner(context.workflowId) !== owner) {
      throw new PayloadMisplacedError(owner, context.workflowId);
    }
    const found = this.options.keys.toOpen(keyId);
    const key = found instanceof Promise ? await found : found;
    if (key.owner !== owner) throw new PayloadDamagedError('it names another tenant than its key is of');
    return openPayload(payload, key, this.options.namespace);
  }

  private plain(payload: Payload, context: PayloadContext | undefined): Payload {
    const { asInput, until } = this.options.plain;
    if (Date.now() < until) return payload;
    // The memo of a schedule in a list, which may be another application's in the same namespace.
    if (asInput === 'not-here' && context === undefined) return payload;
    if (asInput === 'not-here' || context?.type !== 'workflow')
      throw new PlainPayloadRefusedError(context?.workflowId);
    const input: PlainInput = asInput === 'accept' ? readJson(payload) : { kind: 'refused' };
    return {
      metadata: { encoding: Buffer.from(JSON_PLAIN) },
      data: Buffer.from(JSON.stringify(wrapPlain(input))),
    };
  }
}

function readJson({ metadata, data }: Payload): PlainInput {
  const encoding = Buffer.from(metadata?.encoding ?? []).toString();
  if (encoding === NULL) return { kind: 'taken', json: '' };
  return encoding === JSON_PLAIN
    ? { kind: 'taken', json: Buffer.from(data ?? []).toString() }
    : { kind: 'refused' };
}
