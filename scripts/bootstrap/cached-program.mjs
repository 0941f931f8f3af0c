import { dirname } from 'node:path';
import { BootstrapFailure, messageOf } from './bootstrap-failure.mjs';
import { fillCache } from './cache.mjs';
import { exclusively } from './exclusive.mjs';
import { findOnPath, isProgram } from './programs.mjs';

/**
 * Finds a program, or makes it in the cache: the variable that names it, PATH, the cache, `obtain`. The cache only ever
 * holds a program that has answered `describe`.
 *
 * @param program
 *   variable   the variable by which a person names it, and by which the result is handed on
 *   title      what it is called in messages
 *   name       its file's name on PATH
 *   cached(env)                 its place in the cache
 *   describe(path, {signal})    resolves with a one-line description; rejects when it is of no use
 *   obtain(staging, {env, note, signal})   makes it in a directory; resolves with `{ program, how }`
 */
export async function prepareProgram(program, { env, note, signal }) {
  const found = (path, description, where) => ({
    value: { [program.variable]: path },
    summary: `${description}, ${where}`,
  });
  const named = env[program.variable];
  if (named) return found(named, await describeNamed(program, named, signal), `from ${program.variable}`);

  const onPath = findOnPath(program.name, env);
  const usable = onPath && (await describeUsable(program, onPath, 'not used', { note, signal }));
  if (usable) return found(onPath, usable, 'on PATH');

  const cached = program.cached(env);
  const lookInCache = async () => {
    const description =
      isProgram(cached) && (await describeUsable(program, cached, 'making it anew', { note, signal }));
    return description ? found(cached, description, 'in the cache') : undefined;
  };
  const present = await lookInCache();
  if (present !== undefined) return present;
  return exclusively(`${dirname(cached)}.lock`, { note, signal }, async () => {
    const meanwhile = await lookInCache();
    if (meanwhile !== undefined) return meanwhile;
    const { description, how } = await fillCache(
      cached,
      (staging) => program.obtain(staging, { env, note, signal }),
      (path) => program.describe(path, { signal }),
    );
    return found(cached, description, how);
  });
}

/** What somebody names on purpose is used or refused, never silently replaced. */
async function describeNamed({ variable, title, describe }, path, signal) {
  try {
    return await describe(path, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new BootstrapFailure(`${variable} is of no use: ${firstLine(error)}`, {
      hint: `Point it at ${title}, or unset it to have one found or made.`,
      cause: error,
    });
  }
}

/** Undefined, and said, when a program that was found is of no use. */
async function describeUsable({ describe }, path, consequence, { note, signal }) {
  try {
    return await describe(path, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    note(`${consequence}: ${firstLine(error)}`);
    return undefined;
  }
}

function firstLine(error) {
  return messageOf(error).split('\n', 1)[0];
}
