import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BootstrapFailure, messageOf } from './bootstrap-failure.mjs';
import { run } from './command.mjs';
import { exclusively } from './exclusive.mjs';
import { findOnPath, isProgram } from './programs.mjs';
import { downloadTemporal, temporalArchive } from './temporal-download.mjs';
import { describeTemporal, TEMPORAL_VERSION, temporalCacheFile } from './temporal-version.mjs';

const MODULE = 'github.com/temporalio/cli/cmd/temporal';

/**
 * Finds or makes the Temporal CLI: CHRONAWFLOW_TEMPORAL_CLI, PATH, the cache, the official download, a build with Go.
 * The cache only ever holds a program that has answered `--version`: it is made in a directory beside it and renamed.
 */
export async function prepareTemporal({ env, note, signal }) {
  const named = env.CHRONAWFLOW_TEMPORAL_CLI;
  if (named) return useNamed(named, signal);

  const onPath = findOnPath('temporal', env);
  if (onPath !== undefined) {
    try {
      return found(onPath, await describeTemporal(onPath, { signal }), 'on PATH');
    } catch (error) {
      signal?.throwIfAborted();
      note(`not used: ${firstLine(error)}`);
    }
  }

  const cached = temporalCacheFile(env);
  const description = await describeCached(cached, { note, signal });
  if (description !== undefined) return found(cached, description, 'in the cache');
  return exclusively(`${dirname(cached)}.lock`, { note, signal }, async () => {
    const meanwhile = await describeCached(cached, { note, signal });
    if (meanwhile !== undefined) return found(cached, meanwhile, 'in the cache');
    const { how, summary } = await fillCache(cached, { env, note, signal });
    return found(cached, summary, how);
  });
}

function found(path, description, where) {
  return { value: { CHRONAWFLOW_TEMPORAL_CLI: path }, summary: `${description}, ${where}` };
}

/** What somebody names on purpose is used or refused, never silently replaced. */
async function useNamed(path, signal) {
  try {
    return found(path, await describeTemporal(path, { signal }), 'from CHRONAWFLOW_TEMPORAL_CLI');
  } catch (error) {
    signal?.throwIfAborted();
    throw new BootstrapFailure(`CHRONAWFLOW_TEMPORAL_CLI is of no use: ${firstLine(error)}`, {
      hint: 'Point it at a Temporal CLI, or unset it to have one found, downloaded or built.',
      cause: error,
    });
  }
}

async function describeCached(path, { note, signal }) {
  if (!isProgram(path)) return undefined;
  try {
    return await describeTemporal(path, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    note(`making it anew: ${firstLine(error)}`);
    return undefined;
  }
}

async function fillCache(target, { env, note, signal }) {
  const directory = dirname(target);
  const prefix = `${basename(directory)}.partial-`;
  await mkdir(dirname(directory), { recursive: true });
  await removeLeftovers(dirname(directory), prefix);
  const staging = await mkdtemp(join(dirname(directory), prefix));
  try {
    const { program, how } = await obtain(staging, { env, note, signal });
    const summary = await describeTemporal(program, { signal });
    await mkdir(directory, { recursive: true });
    await rename(program, target);
    return { how, summary };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** A killed bootstrap leaves its directory behind; whoever holds the lock sweeps. */
async function removeLeftovers(directory, prefix) {
  const leftovers = (await readdir(directory)).filter((name) => name.startsWith(prefix));
  await Promise.all(leftovers.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}

async function obtain(staging, { env, note, signal }) {
  const archive = temporalArchive({ env });
  let whyNot = `no official build for ${process.platform} ${process.arch}`;
  if (archive !== undefined) {
    try {
      return { program: await downloadTemporal(archive, staging, { note, signal }), how: 'downloaded' };
    } catch (error) {
      signal?.throwIfAborted();
      whyNot = messageOf(error);
    }
  }
  note(`no download: ${whyNot}`);
  const go = findOnPath('go', env) ?? ['/usr/local/go/bin/go'].find(isProgram);
  if (go === undefined) throw new BootstrapFailure('The Temporal CLI is missing', { hint: hint(whyNot) });
  note(`building ${MODULE}@v${TEMPORAL_VERSION} with Go (about 4 minutes on 2 cores, once)`);
  try {
    await run(go, ['install', `${MODULE}@v${TEMPORAL_VERSION}`], { env: { ...env, GOBIN: staging }, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new BootstrapFailure(messageOf(error), { hint: hint(whyNot), cause: error });
  }
  return { program: join(staging, 'temporal'), how: 'built with Go' };
}

function hint(whyNotDownloaded) {
  return [
    `It could not be downloaded (${whyNotDownloaded}). Any one of these helps:`,
    '  brew install temporal',
    '  install Go 1.24 or newer, and it is built from source',
    `  put release v${TEMPORAL_VERSION} from https://github.com/temporalio/cli/releases on PATH`,
    '  export CHRONAWFLOW_TEMPORAL_CLI=/path/to/temporal',
  ].join('\n');
}

function firstLine(error) {
  return messageOf(error).split('\n', 1)[0];
}
