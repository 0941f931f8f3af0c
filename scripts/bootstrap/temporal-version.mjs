import { run } from './command.mjs';

/** The release that Chronawflow is developed and tested with. */
export const TEMPORAL_VERSION = '1.5.1';

/** Update-with-start, fairness keys and worker deployments as they are used here need this server. */
const OLDEST_SERVER = [1, 29];

/** Runs `temporal --version`; resolves with a one-line description, rejects when that is no usable Temporal CLI. */
export async function describeTemporal(path, { signal } = {}) {
  const output = await run(path, ['--version'], { signal, timeoutMs: 30_000 });
  const version = parseTemporalVersion(output);
  if (version === undefined)
    throw new Error(`${path} is not the Temporal CLI: it answered "${output.trim()}"`);
  if (compare(version.server, OLDEST_SERVER) < 0) {
    throw new Error(
      `${path} holds server ${version.server.join('.')}; ${OLDEST_SERVER.join('.')} or newer is needed`,
    );
  }
  return `Temporal CLI ${version.cli}, server ${version.server.join('.')}`;
}

/** "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"; one built from source calls itself 0.0.0-DEV. */
export function parseTemporalVersion(output) {
  const match = /temporal version (\S+) \(Server (\d+)\.(\d+)\.(\d+)/i.exec(output);
  if (match === null) return undefined;
  const [, cli, ...server] = match;
  return { cli, server: server.map(Number) };
}

function compare(left, right) {
  const at = right.findIndex((part, index) => left[index] !== part);
  return at === -1 ? 0 : left[at] - right[at];
}
