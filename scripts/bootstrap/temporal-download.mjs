import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from './bootstrap-failure.mjs';
import { run } from './command.mjs';
import { TEMPORAL_VERSION } from './temporal-version.mjs';

/** SHA-256 of the archives of release 1.5.1, as the project published them. To be replaced with the version. */
const SHA256 = {
  'darwin-amd64': 'bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9',
  'darwin-arm64': 'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415',
  'linux-amd64': 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d',
  'linux-arm64': 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5',
};

/** A closed network must be noticed at once; a slow one may take its time once bytes flow. */
const ANSWER_MS = 5_000;
const STALL_MS = 30_000;

/**
 * Where the archive may be had. CHRONAWFLOW_TEMPORAL_DOWNLOAD names a mirror's copy of the official archive instead.
 * Nothing for a platform without an official build.
 */
export function temporalArchive({
  env = process.env,
  platform = process.platform,
  arch = process.arch,
} = {}) {
  const goArch = arch === 'x64' ? 'amd64' : arch;
  const sha256 = SHA256[`${platform}-${goArch}`];
  if (sha256 === undefined) return undefined;
  const name = `temporal_cli_${TEMPORAL_VERSION}_${platform}_${goArch}.tar.gz`;
  const mirror = env.CHRONAWFLOW_TEMPORAL_DOWNLOAD;
  const urls = mirror
    ? [mirror]
    : [
        `https://github.com/temporalio/cli/releases/download/v${TEMPORAL_VERSION}/${name}`,
        `https://temporal.download/cli/archive/v${TEMPORAL_VERSION}?platform=${platform}&arch=${goArch}`,
      ];
  return { urls, sha256 };
}

/** Downloads, checks and unpacks the archive into `directory`; resolves with the path of the program in it. */
export async function downloadTemporal({ urls, sha256 }, directory, { note, signal }) {
  const failures = [];
  for (const url of urls) {
    try {
      note(`downloading ${url}`);
      const archive = join(directory, 'temporal.tar.gz');
      const actual = await fetchTo(url, archive, signal);
      if (actual !== sha256) throw new Error(`the archive's SHA-256 is ${actual}, not ${sha256}`);
      await run('tar', ['-xzf', archive, '-C', directory, 'temporal'], { signal });
      return join(directory, 'temporal');
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
