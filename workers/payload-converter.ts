import { join } from 'node:path';
import type { ClientOptions } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import type { Pool } from 'pg';
import type { Config } from '../config';
import { createPayloadCodec } from '../core/payload-codec';

/** The same for a client in a worker's process, which starts nothing for a tenant whose keys are about to be destroyed. */
export function startingConverter(
  { payloads, temporal }: Config,
  platform: Pool,
): ClientOptions['dataConverter'] {
  const place = { namespace: temporal.namespace, side: 'client' } as const;
  return payloads && { payloadCodecs: [createPayloadCodec(payloads, platform, place)] };
}

/** How a worker encodes what Temporal stores; undefined, for the SDK's own way, where encryption is off. */
export function payloadConverter(
  { payloads, temporal }: Config,
  platform: Pool,
): WorkerOptions['dataConverter'] {
  if (payloads === undefined) return undefined;
  const { namespace } = temporal;
  return {
    payloadCodecs: [createPayloadCodec(payloads, platform, { namespace, side: 'worker' })],
    // The same as in the bundle: failures of activities are converted here, those of workflows there.
    failureConverterPath: require.resolve(join(__dirname, '..', 'workflows', 'failure-converter')),
  };
}
