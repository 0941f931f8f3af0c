import { join } from 'node:path';
import { BootstrapFailure, messageOf } from './bootstrap-failure.mjs';
import { run } from './command.mjs';
import { goPlatform } from './download.mjs';
import { findGo } from './programs.mjs';

/**
 * A program whose project is written in Go: its official release, or where that cannot be had, a build of the very same
 * version.
 *
 * @param release
 *   title       what it is called in messages
 *   fetch       undefined where there is no official build for this platform; else `(control) => path of the program`
 *   module      the Go package, with `@version`
 *   built       the name that `go install` gives to the program
 *   takes       how long a build takes, for people
 *   hint(whyNotDownloaded)   what a person can do when neither worked
 */
export async function downloadOrBuild({ title, fetch, module, built, takes, hint }, staging, control) {
  const { env, note, signal } = control;
  let whyNot = `no official build for ${goPlatform()}`;
  if (fetch !== undefined) {
    try {
      return { program: await fetch(control), how: 'downloaded' };
    } catch (error) {
      signal?.throwIfAborted();
      whyNot = messageOf(error);
    }
  }
  note(`no download: ${whyNot}`);
  const go = findGo(env);
  if (go === undefined) throw new BootstrapFailure(`${title} is missing`, { hint: hint(whyNot) });
  note(`building ${module} with Go (${takes}, once)`);
  try {
    await run(go, ['install', module], { env: { ...env, GOBIN: staging }, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new BootstrapFailure(messageOf(error), { hint: hint(whyNot), cause: error });
  }
  return { program: join(staging, built), how: 'built with Go' };
}
