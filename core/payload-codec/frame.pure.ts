import { PayloadDamagedError } from './errors/payload-damaged-error';
import type { Payload } from './types';

/**
 * A payload as bytes: the number of its metadata, each as length and name, length and value (8 and 16 bits), then the
 * data. Less than JSON would take, and the data is not looked at.
 */
export function framePayload({ metadata, data }: Payload): Buffer {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [Buffer.from(name), value] as const);
  const size = entries.reduce((sum, [name, value]) => sum + 3 + name.length + value.length, 1);
  const frame = Buffer.allocUnsafe(size + (data?.length ?? 0));
  let at = frame.writeUInt8(entries.length, 0);
  for (const [name, value] of entries) {
    at = frame.writeUInt8(name.length, at);
    at += name.copy(frame, at);
    at = frame.writeUInt16BE(value.length, at);
    frame.set(value, at);
    at += value.length;
  }
  if (data != null) frame.set(data, at);
  return frame;
}

/** @throws PayloadDamagedError */
export function unframePayload(frame: Buffer): Payload {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > frame.length) throw new PayloadDamagedError('it ends too early');
    at += length;
    return frame.subarray(at - length, at);
  };
  const metadata: Record<string, Uint8Array> = {};
  for (let left = take(1).readUInt8(); left > 0; left -= 1) {
    const name = take(take(1).readUInt8()).toString();
    metadata[name] = take(take(2).readUInt16BE());
  }
  return { metadata, data: frame.subarray(at) };
}
