import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface IssuedCertificate {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate authority of one test, made with openssl in a directory that the test removes. */
export class TlsAuthority {
  private constructor(
    private readonly directory: string,
    private readonly name: string,
  ) {}

  static async make(directory: string, name: string): Promise<TlsAuthority> {
    const authority = new TlsAuthority(directory, name);
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-subj', `/CN=${name}`, '-keyout', authority.keyFile, '-out', authority.caFile],
      ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'],
    ]);
    return authority;
  }

  get caFile(): string {
    return join(this.directory, `${this.name}.crt`);
  }

  private get keyFile(): string {
    return join(this.directory, `${this.name}.key`);
  }

  /** @param names such as `DNS:db.example` and `IP:127.0.0.1`; @param subject the common name, a PostgreSQL role for clients */
  async issue(file: string, subject: string, names: readonly string[] = []): Promise<IssuedCertificate> {
    const path = (kind: string) => join(this.directory, `${file}.${kind}`);
    const [certFile, keyFile, requestFile, extensions] = [path('crt'), path('key'), path('csr'), path('ext')];
    await run('openssl', [
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', `/CN=${subject}`, '-keyout', keyFile, '-out', requestFile],
    ]);
    await writeFile(
      extensions,
      names.length === 0 ? 'basicConstraints=CA:FALSE\n' : `subjectAltName=${names.join(',')}\n`,
    );
    await run('openssl', [
      ...['x509', '-req', '-in', requestFile, '-CA', this.caFile, '-CAkey', this.keyFile, '-CAcreateserial'],
      ...['-days', '2', '-extfile', extensions, '-out', certFile],
    ]);
    await chmod(keyFile, 0o600);
    return { certFile, keyFile };
  }
}
