import { join } from 'node:path';
import { cachePath } from './cache.mjs';
import { prepareProgram } from './cached-program.mjs';
import { run } from './command.mjs';
import { download, goPlatform } from './download.mjs';
import { downloadOrBuild } from './download-or-build.mjs';
import { describeTemporal, TEMPORAL_VERSION } from './temporal-version.mjs';

/** SHA-256 of the archives of release 1.5.1, as the project published them. To be replaced with the version. */
const SHA256 = {
  'darwin-amd64': 'bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9',
  'darwin-arm64': 'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415',
  'linux-amd64': 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d',
  'linux-arm64': 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5',
};

/** The Temporal CLI, whose server the demo and the tests run. */
export function prepareTemporal(control) {
  return prepareProgram(
    {
      variable: 'CHRONAWFLOW_TEMPORAL_CLI',
      title: 'a Temporal CLI',
      name: 'temporal',
      cached: (env) => cachePath(env, `temporal-${TEMPORAL_VERSION}`, 'temporal'),
      describe: describeTemporal,
      obtain,
    },
    control,
  );
}

function obtain(staging, control) {
  const archive = temporalArchive(control);
  return downloadOrBuild(
    {
      title: 'The Temporal CLI',
      fetch: archive && (() => fetchTemporal(archive, staging, control)),
      module: `github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_VERSION}`,
      built: 'temporal',
      takes: 'about 4 minutes on 2 cores',
      hint,
    },
    staging,
    control,
  );
}

/**
 * Where the archive may be had. CHRONAWFLOW_TEMPORAL_DOWNLOAD names a mirror's copy of the official archive instead.
 * Undefined for a platform without an official build.
 */
function temporalArchive({ env }) {
  const platform = goPlatform();
  const sha256 = SHA256[platform];
  if (sha256 === undefined) return undefined;
  const [os, arch] = platform.split('-');
  const official = [
    `https://github.com/temporalio/cli/releases/download/v${TEMPORAL_VERSION}/temporal_cli_${TEMPORAL_VERSION}_${os}_${arch}.tar.gz`,
    `https://temporal.download/cli/archive/v${TEMPORAL_VERSION}?platform=${os}&arch=${arch}`,
  ];
  const mirror = env.CHRONAWFLOW_TEMPORAL_DOWNLOAD;
  return { urls: mirror ? [mirror] : official, sha256 };
}

/** Downloads, checks and unpacks the archive into `directory`; resolves with the path of the program in it. */
export async function fetchTemporal(archive, directory, control) {
  const file = join(directory, 'temporal.tar.gz');
  await download(archive, file, control);
  await run('tar', ['-xzf', file, '-C', directory, 'temporal'], { signal: control.signal });
  return join(directory, 'temporal');
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
