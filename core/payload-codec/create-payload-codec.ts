import type { Pool } from 'pg';
import type { PayloadsConfig } from '../../config';
import { commandKey, fileKey, type KeyEncryptionKey } from './keys/key-encryption-key';
import { KeyRing } from './keys/key-ring';
import { KeyStore } from './keys/key-store';
import { PayloadCodec } from './payload-codec';

export interface PayloadCodecPlace {
  readonly namespace: string;
  /** `worker`: where workflows and activities run. `client`: whoever starts and asks them. */
  readonly side: 'worker' | 'client';
}

/** The codec of one process. Keys come from the control plane when the first payload needs one. */
export function createPayloadCodec(
  config: PayloadsConfig,
  platform: Pool,
  { namespace, side }: PayloadCodecPlace,
): PayloadCodec {
  return new PayloadCodec({
    namespace,
    keys: new KeyRing(createKeyStore(config, platform), {
      keepMs: config.keyCache,
      rotateAfterMs: config.rotateAfter,
      endsWork: side === 'worker',
    }),
    plain: {
      asInput: side === 'worker' ? config.plainInput : 'not-here',
      until: config.plainUntil === undefined ? 0 : Date.parse(config.plainUntil),
    },
  });
}

export function createKeyStore({ keyEncryptionKeys }: PayloadsConfig, platform: Pool): KeyStore {
  const [first, ...others] = keyEncryptionKeys.map(keyEncryptionKey);
  if (first === undefined) throw new RangeError('the schema asks for at least one key-encryption key');
  return new KeyStore(platform, [first, ...others]);
}

function keyEncryptionKey(key: PayloadsConfig['keyEncryptionKeys'][number]): KeyEncryptionKey {
  return 'file' in key ? fileKey(key.id, key.file) : commandKey(key.id, key.command);
}
