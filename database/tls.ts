import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, type PeerCertificate } from 'node:tls';
import { InvalidInputError } from '../core/errors';

/** Files of one's own for TLS, in PEM. */
export interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The name that the certificate has to have, where it is not the host's. */
  readonly serverName?: string | undefined;
}

/**
 * What libpq calls `verify-full`: the certificate has to come from a trusted authority and to be the host's. Node's own check
 * compares with `localhost` when the host is an address, because such a connection has no server name; so the host is given here.
 */
export function tlsOptions(host: string, ssl: boolean | TlsFiles): false | ConnectionOptions {
  // A socket in the file system is not the network, and PostgreSQL offers no TLS on it.
  if (ssl === false || host.startsWith('/')) return false;
  const { caFile, certFile, keyFile, serverName = host }: TlsFiles = ssl === true ? {} : ssl;
  return {
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    checkServerIdentity: (_: string, certificate: PeerCertificate) =>
      checkServerIdentity(serverName, certificate),
    ...(caFile === undefined ? {} : { ca: read(caFile) }),
    ...(certFile === undefined ? {} : { cert: read(certFile) }),
    ...(keyFile === undefined ? {} : { key: read(keyFile) }),
  };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new InvalidInputError(`The file ${file} for TLS with PostgreSQL cannot be read.`, {
      cause,
      hint: 'Name it under ssl, and let this user read it.',
    });
  }
}
