import { z } from 'zod';

/** TLS with files of one's own: the authority that is trusted, and who this process is. */
export const tlsFiles = z
  .strictObject({
    /** PEM; default the authorities that Node trusts. */
    caFile: z.string().optional(),
    /** PEM, of the client; both or neither. */
    certFile: z.string().optional(),
    keyFile: z.string().optional(),
    /** The name that the server's certificate has to have, where it is not the host's. */
    serverName: z.string().optional(),
  })
  .refine((files) => (files.certFile === undefined) === (files.keyFile === undefined), {
    message: 'give both certFile and keyFile, or neither',
  });

export type TlsFiles = z.output<typeof tlsFiles>;

/** Off, on, or on with files. A server's certificate and name are always verified. */
export const tls = z.union([z.boolean(), tlsFiles]).default(false);
