/** Strings and numbers as SSH writes them. Source: RFC 4251, section 5. */

export function sshString(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Reads what others wrote: every length is checked against what is there. */
export class SshReader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  /** @throws RangeError when so much is not there */
  raw(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new RangeError('it is cut off');
    const part = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return part;
  }

  number(): number {
    return this.raw(4).readUInt32BE(0);
  }

  string(): Buffer {
    return this.raw(this.number());
  }

  /** @throws RangeError when something follows */
  end(): void {
    if (this.at !== this.bytes.length) throw new RangeError('something follows it');
  }
}
