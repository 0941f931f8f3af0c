import fc from 'fast-check';
import { canonicalJson, jsonResponse } from '../../core/idempotency';
import { isFinal, readStored, storeResponse } from '../../core/idempotency/http/response.pure';

const text = fc.string({ unit: 'grapheme', maxLength: 200 });

test('a response that is kept reads back as it was sent, also from the database’s JSON', () => {
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 499 }), text, text, (status, body, location) => {
      const stored = storeResponse(
        status,
        { Location: location, 'x-own': '1', 'content-type': undefined },
        body,
      );
      expect(stored).toEqual({ kind: 'response', response: { status, headers: { location }, body } });
      expect(readStored(JSON.parse(canonicalJson(stored)))).toEqual(stored);
      const bytes = storeResponse(status, { location }, Buffer.from(body, 'utf8'));
      expect(bytes).toEqual(stored);
    }),
  );
});

test('what cannot be given again is not kept: streams, bytes that are no text, large bodies', () => {
  for (const body of [{ pipe: () => undefined }, Buffer.from([0xff, 0xfe]), 'x'.repeat(1_048_577)])
    expect(storeResponse(200, {}, body)).toEqual({ kind: 'lost' });
  expect(storeResponse(204, {}, undefined)).toMatchObject({ response: { body: '' } });
});

test('whatever stands under a key is read as a response or as none, and never throws', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      expect(['response', 'lost']).toContain(readStored(JSON.parse(json)).kind);
    }),
  );
});

test('a request is over with an answer that another try would not change', () => {
  for (const status of [200, 201, 204, 301, 400, 403, 404, 410, 422]) expect(isFinal(status)).toBe(true);
  for (const status of [100, 408, 409, 423, 425, 429, 500, 502, 503]) expect(isFinal(status)).toBe(false);
});

test('a response of JSON has its type, and what is nothing is null', () => {
  expect(jsonResponse(201, undefined, { location: '/1' })).toEqual({
    status: 201,
    headers: { 'content-type': 'application/json; charset=utf-8', location: '/1' },
    body: 'null',
  });
});
