export { createKeyStore, createPayloadCodec, type PayloadCodecPlace } from './create-payload-codec';
export { PayloadDamagedError } from './errors/payload-damaged-error';
export { PayloadKeyDestroyedError } from './errors/payload-key-destroyed-error';
export {
  beginDestroying,
  type Destroyed,
  finishDestroying,
  type KeyDecision,
  listKeys,
  type OwnerKeys,
  retireKeys,
} from './keys/key-administration';
export { writeKeyFile } from './keys/key-encryption-key';
export { ScheduleRecord } from './keys/schedule-record';
export { PayloadCodec } from './payload-codec';
export { PLATFORM, payloadOwner, TENANT_FIRST } from './payload-owner.pure';
export { sealedWith } from './seal-payload';
export {
  type CodecAuthority,
  type CodecServer,
  CodecService,
  type MayDecode,
  serveCodec,
  tokenAuthority,
} from './server';
export type { DataKey, Payload, PayloadContext, PayloadOwner } from './types';
