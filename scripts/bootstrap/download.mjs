import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from './bootstrap-failure.mjs';

/**
 * A network that is closed in silence must be noticed soon, though not before a machine that is busy has sent the request and read
 * the answer; a slow one may take its time once bytes flow.
 */
const ANSWER_MS = 15_000;
const STALL_MS = 30_000;

/** "linux-amd64": this platform by the names that Go projects give their releases. */
export function goPlatform({ platform = process.platform, arch = process.arch } = {}) {
  return `${platform}-${arch === 'x64' ? 'amd64' : arch}`;
}

/**
 * Writes the first of the addresses that gives a file with this checksum to `file`.
 *
 * @throws with the reason of each address, when none does.
 */
export async function download({ urls, sha256 }, file, { note, signal }) {
  const failures = [];
  for (const url of urls) {
    try {
      note(`downloading ${url}`);
      const actual = await fetchTo(url, file, signal);
      if (actual !== sha256) throw new Error(`the file's SHA-256 is ${actual}, not ${sha256}`);
      return;
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(`${url}: ${reason(error)}`);
    }
  }
  throw new Error(failures.join('; '));
}

/** Resolves with the SHA-256 of what was written. */
async function fetchTo(url, file, signal) {
  const watch = new AbortController();
  let timer = setTimeout(() => watch.abort(new Error(`no answer within ${ANSWER_MS / 1000} s`)), ANSWER_MS);
  try {
    const response = await fetch(url, {
      signal: signal === undefined ? watch.signal : AbortSignal.any([watch.signal, signal]),
    });
    if (!response.ok || response.body === null) throw new Error(`HTTP status ${response.status}`);
    const hash = createHash('sha256');
    const observe = new Transform({
      transform(chunk, _encoding, done) {
        clearTimeout(timer);
        timer = setTimeout(() => watch.abort(new Error(`nothing came for ${STALL_MS / 1000} s`)), STALL_MS);
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(response.body, observe, createWriteStream(file));
    return hash.digest('hex');
  } catch (error) {
    throw watch.signal.aborted ? watch.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

/** `fetch` says only "fetch failed"; what happened is in the cause. */
function reason(error) {
  return messageOf(error instanceof TypeError && error.cause !== undefined ? error.cause : error);
}
