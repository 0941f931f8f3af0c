import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigInvalidError } from './config-invalid-error';
import { tls } from './tls';

export const temporalConfig = z.strictObject({
  address: z.string().default('localhost:7233'),
  namespace: z.string().default('default'),
  apiKey: z.string().optional(),
  /** Read at load time; the file's content without its last newline is the key. */
  apiKeyFile: z.string().optional(),
  tls,
  /** Base URL of the Temporal Web UI, for links. */
  webUrl: z.string().optional(),
  taskQueue: z.string().default('chronawflow'),
});

type TemporalConfig = z.output<typeof temporalConfig>;

/** How the SDK is told to connect; the same for clients and workers. */
export interface TemporalConnection {
  readonly address: string;
  readonly apiKey?: string;
  readonly tls:
    | boolean
    | {
        readonly serverNameOverride?: string;
        readonly serverRootCACertificate?: Buffer;
        readonly clientCertPair?: { readonly crt: Buffer; readonly key: Buffer };
      };
}

/** The files are read anew for each connection, so that a renewed certificate is used. @throws ConfigInvalidError */
export function temporalConnection({
  address,
  apiKey,
  tls,
}: Omit<TemporalConfig, 'namespace'>): TemporalConnection {
  const common = { address, ...(apiKey === undefined ? {} : { apiKey }) };
  if (typeof tls === 'boolean') return { ...common, tls };
  const { caFile, certFile, keyFile, serverName } = tls;
  return {
    ...common,
    tls: {
      ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
      ...(caFile === undefined ? {} : { serverRootCACertificate: read(caFile, 'temporal.tls.caFile') }),
      ...(certFile === undefined || keyFile === undefined
        ? {}
        : {
            clientCertPair: {
              crt: read(certFile, 'temporal.tls.certFile'),
              key: read(keyFile, 'temporal.tls.keyFile'),
            },
          }),
    },
  };
}

function read(path: string, key: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ConfigInvalidError(path, [`${key} cannot be read`], { cause });
  }
}
