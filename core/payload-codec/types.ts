/** A payload as the SDK hands it over; the shape of temporal.api.common.v1.Payload. */
export interface Payload {
  metadata?: { [name: string]: Uint8Array } | null;
  data?: Uint8Array | null;
}

/** The part of the SDK's serialization context that the codec goes by. */
export interface PayloadContext {
  readonly type: 'workflow' | 'activity';
  readonly workflowId?: string;
}

/**
 * Whose key a payload has: the tenant's part of its workflow IDs (core/workflow-id), or the empty text for what belongs to
 * no tenant.
 */
export type PayloadOwner = string;

/** A key that encrypts payloads, 32 bytes. */
export interface DataKey {
  readonly id: string;
  readonly owner: PayloadOwner;
  readonly key: Buffer;
}
