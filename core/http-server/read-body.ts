import type { IncomingMessage } from 'node:http';

/** The body as text; undefined when it is longer than a request can be. @param most bytes */
export async function readBody(request: IncomingMessage, most: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > most) return undefined;
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}
