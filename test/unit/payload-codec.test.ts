import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { jobScheduleId, jobWorkflowId } from '../../core/jobs';
import { PLATFORM, payloadOwner } from '../../core/payload-codec';
import { framePayload, unframePayload } from '../../core/payload-codec/frame.pure';
import { plainInput, wrapPlain } from '../../core/payload-codec/plain-input.pure';
import { isSealed, openPayload, sealedWith, sealPayload } from '../../core/payload-codec/seal-payload';
import { drillWorkflowId, restoreWorkflowId, undoWorkflowId } from '../../core/recovery/workflow-id';
import { workflowIdPart } from '../../core/workflow-id';

const bytes = (constraints: fc.IntArrayConstraints = {}) => fc.uint8Array(constraints);
const payload = fc.record({
  metadata: fc.dictionary(fc.string({ maxLength: 40 }), bytes({ maxLength: 200 }), { maxKeys: 5 }),
  data: fc.oneof(bytes({ maxLength: 300 }), bytes({ minLength: 1_000, maxLength: 5_000 })),
});
const key = (owner = 't1', id = 'k1') => ({ id, owner, key: randomBytes(32) });
const plainly = ({ metadata, data }: { metadata?: object | null; data?: Uint8Array | null }) => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, [...value]])),
  data: [...(data ?? [])],
});

test('a framed payload comes back as it was', () => {
  fc.assert(
    fc.property(payload, (one) => {
      expect(plainly(unframePayload(framePayload(one)))).toEqual(plainly(one));
    }),
  );
});

test('no cut frame is read beyond its end', () => {
  fc.assert(
    fc.property(bytes({ maxLength: 60 }), (frame) => {
      try {
        unframePayload(Buffer.from(frame));
      } catch (error) {
        expect(error).toMatchObject({ code: 'PAYLOAD_DAMAGED' });
      }
    }),
  );
});

test('a sealed payload opens to what it was, and shows neither its data nor its own metadata', () => {
  fc.assert(
    fc.property(payload, (one) => {
      const sealed = sealPayload(one, k1, 'default');
      expect(isSealed(sealed)).toBe(true);
      expect(sealedWith(sealed)).toEqual({ keyId: 'k1', owner: 't1' });
      expect(plainly(openPayload(sealed, k1, 'default'))).toEqual(plainly(one));
    }),
  );
});
const k1 = key();

test('what repeats itself is compressed before it is encrypted', () => {
  const sealed = sealPayload({ data: Buffer.alloc(100_000, 'ab') }, k1, 'default');
  expect(sealed.data?.length).toBeLessThan(2_000);
});

test('invariant 1: it opens only in its namespace, under its key, for its owner, and unchanged', () => {
  const damaged = expect.objectContaining({ code: 'PAYLOAD_DAMAGED' });
  const refused = (open: () => unknown) => {
    let thrown: unknown;
    try {
      open();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toEqual(damaged);
  };
  const sealed = sealPayload({ data: Buffer.from('secret') }, k1, 'default');
  refused(() => openPayload(sealed, k1, 'other'));
  refused(() => openPayload(sealed, { ...k1, owner: 't2' }, 'default'));
  refused(() => openPayload(sealed, { ...k1, id: 'k2' }, 'default'));
  refused(() => openPayload(sealed, key(), 'default'));
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const data = Buffer.from(sealed.data ?? []);
      const place = at % data.length;
      data.writeUInt8(data.readUInt8(place) ^ bits, place);
      refused(() => openPayload({ ...sealed, data }, k1, 'default'));
    }),
  );
  fc.assert(
    fc.property(fc.nat({ max: (sealed.data?.length ?? 1) - 1 }), (length) => {
      refused(() => openPayload({ ...sealed, data: sealed.data?.slice(0, length) }, k1, 'default'));
    }),
  );
});

test('no two payloads have one nonce', () => {
  const nonces = Array.from({ length: 2_000 }, () =>
    Buffer.from(sealPayload({}, k1, 'default').data ?? []).toString('hex', 0, 12),
  );
  expect(new Set(nonces).size).toBe(nonces.length);
});

test('the tenant in a workflow’s ID owns its payloads, however it is written', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.string({ minLength: 1 }),
      (tenant, name) => {
        const owner = workflowIdPart(tenant);
        const ids = [
          restoreWorkflowId(tenant, name),
          undoWorkflowId(tenant, name),
          undoWorkflowId(tenant, name, name),
          jobWorkflowId({ tenant, type: name, key: name }),
          jobScheduleId(tenant, name),
          // As the server names what a schedule starts.
          `${jobScheduleId(tenant, name)}-2026-11-26T03:00:00Z`,
        ];
        expect(ids.map(payloadOwner)).toEqual(ids.map(() => owner));
      },
    ),
  );
  expect(
    [drillWorkflowId('t1'), 'restore', 'restore/t1', 'other/t1/x', '', undefined].map(payloadOwner),
  ).toEqual(Array(6).fill(PLATFORM));
});

test('only what the codec wrapped is taken for a plain input', () => {
  fc.assert(fc.property(fc.json(), (json) => expect(plainInput(JSON.parse(json))).toBeUndefined()));
  expect(plainInput(wrapPlain({ kind: 'taken', json: '1' }))).toEqual({ kind: 'taken', json: '1' });
  expect(plainInput({ 'chronawflow/plain-input': 7 })).toEqual({ kind: 'refused' });
  expect(plainInput({ 'chronawflow/plain-input': { kind: 'taken', json: 7 } })).toEqual({ kind: 'refused' });
});
