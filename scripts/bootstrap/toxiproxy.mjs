import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath } from './cache.mjs';
import { prepareProgram } from './cached-program.mjs';
import { run } from './command.mjs';
import { download, goPlatform } from './download.mjs';
import { downloadOrBuild } from './download-or-build.mjs';

/** The newest release; Go 1.23 or newer builds it. */
const VERSION = '2.12.0';

/** SHA-256 of the server programs of release 2.12.0, as the project published them. To be replaced with the version. */
const SHA256 = {
  'darwin-amd64': '9625bba4bd96117eedae49f982aba4c2f462b268dd406c9ff18186f9b1ef8afe',
  'darwin-arm64': 'aa299966b52f16a8594f1cd0d1e9049dc2e8fe2c04a90c19860e2719b2b95d15',
  'linux-amd64': '556d891134a3c582dc1e1a3f7335fd55142e5965769855a00b944e13e48302fc',
  'linux-arm64': '53e770c1c3035b5a9f1bc629fce537db1f95f62b26f4ebe6e756afd701cf077c',
};

/** Toxiproxy's server, with which the tests break connections on purpose. */
export function prepareToxiproxy(control) {
  return prepareProgram(
    {
      variable: 'CHRONAWFLOW_TOXIPROXY',
      title: "Toxiproxy's server",
      name: 'toxiproxy-server',
      cached: (env) => cachePath(env, `toxiproxy-${VERSION}`, 'toxiproxy-server'),
      describe: describeToxiproxy,
      obtain,
    },
    control,
  );
}

/** "toxiproxy-server version 2.12.0"; one built from source calls itself "git". */
async function describeToxiproxy(path, { signal }) {
  const output = await run(path, ['-version'], { signal, timeoutMs: 30_000 });
  const version = /^toxiproxy-server version (git|2\.\S+)$/m.exec(output)?.[1];
  if (version === undefined)
    throw new Error(`${path} is not the server of Toxiproxy 2: it answered "${output.trim()}"`);
  return `Toxiproxy ${version === 'git' ? 'from source' : version}`;
}

function obtain(staging, control) {
  const release = toxiproxyRelease(control);
  return downloadOrBuild(
    {
      title: 'Toxiproxy',
      fetch: release && (() => fetchToxiproxy(release, staging, control)),
      module: `github.com/Shopify/toxiproxy/v2/cmd/server@v${VERSION}`,
      built: 'server',
      takes: 'about half a minute on 2 cores',
      hint,
    },
    staging,
    control,
  );
}

/** As with Temporal, CHRONAWFLOW_TOXIPROXY_DOWNLOAD names a mirror's copy of the official program instead. */
function toxiproxyRelease({ env }) {
  const sha256 = SHA256[goPlatform()];
  if (sha256 === undefined) return undefined;
  const official = `https://github.com/Shopify/toxiproxy/releases/download/v${VERSION}/toxiproxy-server-${goPlatform()}`;
  return { urls: [env.CHRONAWFLOW_TOXIPROXY_DOWNLOAD || official], sha256 };
}

async function fetchToxiproxy(release, directory, control) {
  const program = join(directory, 'toxiproxy-server');
  await download(release, program, control);
  await chmod(program, 0o755);
  return program;
}

function hint(whyNotDownloaded) {
  return [
    `It could not be downloaded (${whyNotDownloaded}). Any one of these helps:`,
    '  brew install toxiproxy',
    '  install Go 1.23 or newer, and it is built from source',
    `  put toxiproxy-server of release v${VERSION} from https://github.com/Shopify/toxiproxy/releases on PATH`,
    '  export CHRONAWFLOW_TOXIPROXY=/path/to/toxiproxy-server',
  ].join('\n');
}
