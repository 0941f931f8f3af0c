import { z } from 'zod';
import type { Payload } from '../types';

const bytes = z.base64().transform((text) => Buffer.from(text, 'base64'));

/**
 * Payloads as Temporal's Web UI and CLI send them: the proto3 JSON of temporal.api.common.v1.Payloads. Metadata without value
 * and payloads without data leave the members out.
 */
export const payloadsJson = z.object({
  payloads: z
    .array(
      z.object({
        metadata: z.record(z.string(), bytes).optional(),
        data: bytes.optional(),
      }),
    )
    .default([]),
});

export function formatPayloads(payloads: readonly Payload[]): string {
  return JSON.stringify({
    payloads: payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(
        Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
      ),
      data: Buffer.from(data ?? []).toString('base64'),
    })),
  });
}
