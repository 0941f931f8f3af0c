import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatVerifierKey, generateSigningKey, readSigningKey, writeSigningKey } from '../../audit';
import { detachedStatus, findToxiproxy, type PostgresBin, serverStatus } from '../../cluster';
import { whenMissing } from '../../errors';
import type { StackLayout } from '../layout.pure';
import type { StackPart } from '../part';
import type { StackPorts } from '../state';
import { workerProcess } from '../worker-process';
import { mayMakeNetworks, ownNetworkPart } from './own-network';
import { type OwnNetwork, ownNetwork } from './own-network.pure';
import { mayMount, ownScratch } from './own-scratch';
import type { ChaosPorts } from './ports';
import { type ConfigInput, chaosSections, disturbedConfig } from './sections';
import { standbyCluster } from './standby-cluster';
import { toxiproxyServer } from './toxiproxy-server';

export interface ChaosOptions {
  readonly layout: StackLayout;
  readonly ports: StackPorts;
  readonly chaos: ChaosPorts;
  readonly postgres: PostgresBin;
  /** Modules with the types of jobs. */
  readonly jobs: readonly string[];
  /** What the office is told besides its configuration file. */
  readonly office: Readonly<Record<string, string>>;
}

/** What `up --chaos` adds to a stack. */
export interface ChaosAddition {
  /** Started before the workers, in this order. */
  readonly before: readonly (readonly StackPart[])[];
  /** Started with them, and after them. */
  readonly beside: readonly StackPart[];
  readonly after: readonly (readonly StackPart[])[];
  /** Names and addresses for the experiments' references, in the controllers' environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly config: (base: ConfigInput) => { readonly own: ConfigInput; readonly disturbed: ConfigInput };
}

/** Looks what this host allows: without root there is neither a network nor a scratch disk of its own, and their targets are missing. */
export async function chaosAddition(options: ChaosOptions): Promise<ChaosAddition> {
  const { layout, ports, chaos } = options;
  const toxiproxy = await findToxiproxy();
  const key = await auditKey(layout.chaos.auditKey);
  const network = (await mayMakeNetworks(`chronawflow-try-${chaos.tax}`)) ? ownNetwork(chaos.tax) : undefined;
  const ownScratchDisk = await mayMount(join(layout.servers, 'mount-try'));
  const taxHost = network?.address ?? '127.0.0.1';
  const taxUrl = `http://${taxHost}:${chaos.tax}/rate`;
  const { jobs } = options;
  return {
    before: [
      [
        ...(network === undefined ? [] : [ownNetworkPart(network)]),
        ...(ownScratchDisk ? [ownScratch(layout.scratch)] : []),
        toxiproxyServer({
          program: toxiproxy,
          place: layout.chaos.toxiproxy,
          port: chaos.toxiproxy,
          proxies: {
            application: { listen: chaos.applicationProxy, upstream: ports.application },
            'control-plane': { listen: chaos.platformProxy, upstream: ports.platform },
            temporal: { listen: chaos.temporalProxy, upstream: ports.temporal },
          },
        }),
        standbyCluster({
          bin: options.postgres,
          place: layout.chaos.standby,
          port: chaos.standby,
          primary: { socketDirectory: layout.socketDirectory, port: ports.application },
        }),
      ],
      [taxProcess(options, taxHost, network)],
    ],
    beside: [
      workerProcess({
        name: 'second-worker',
        place: layout.chaos.secondWorker,
        configFile: layout.chaos.configFile,
        metricsPort: chaos.secondWorker,
      }),
      workerProcess({
        name: 'sealer',
        place: layout.chaos.sealer,
        configFile: layout.configFile,
        metricsPort: chaos.sealer,
      }),
    ],
    after: [
      [
        workerProcess({
          name: 'office',
          place: layout.chaos.office,
          configFile: layout.chaos.configFile,
          metricsPort: chaos.office,
          env: {
            ...options.office,
            OFFICE_TAX_URL: taxUrl,
            OFFICE_SOCKETS: layout.socketDirectory,
            OFFICE_APPLICATION_PORT: String(ports.application),
            OFFICE_PLATFORM_PORT: String(ports.platform),
            OFFICE_STANDBY_PORT: String(chaos.standby),
          },
        }),
      ],
    ],
    env: {
      WORKER_URL: `http://127.0.0.1:${ports.metrics}`,
      CONTROL_URL: `http://127.0.0.1:${ports.control}`,
      OFFICE_URL: `http://127.0.0.1:${chaos.office}`,
    },
    config: (base) => {
      const own = chaosSections(base, {
        ...{ layout, ports, chaos, toxiproxy, network, jobs },
        publicKey: key,
        ownScratch: ownScratchDisk,
      });
      return { own, disturbed: disturbedConfig(own, chaos) };
    },
  };
}

/** In the namespace where there is one, so that it can be cut off. */
function taxProcess(
  { layout, chaos }: ChaosOptions,
  host: string,
  network: OwnNetwork | undefined,
): StackPart {
  return workerProcess({
    name: 'tax',
    place: layout.chaos.tax,
    configFile: layout.configFile,
    metricsPort: chaos.tax,
    host,
    env: { OFFICE_TAX_HOST: host },
    ...(network === undefined ? {} : { within: ['ip', 'netns', 'exec', network.namespace] }),
  });
}

/** The public key of the stack's audit log; the signing key stays in its file. */
async function auditKey(file: string): Promise<string> {
  if (await stat(file).then(() => true, whenMissing(false)))
    return formatVerifierKey(await readSigningKey(file));
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const key = generateSigningKey('chronawflow.local/audit', 'ed25519');
  await writeSigningKey(file, key);
  return formatVerifierKey(key);
}

/** Whether any of it runs, so that its ports are kept. */
export async function anyChaosRuns({ chaos }: StackLayout): Promise<boolean> {
  const records = [chaos.toxiproxy, chaos.secondWorker, chaos.sealer, chaos.office, chaos.tax];
  const states = await Promise.all(records.map(({ recordFile }) => detachedStatus(recordFile)));
  if (states.some(({ kind }) => kind === 'running')) return true;
  return (await serverStatus(chaos.standby.dataDirectory)).kind === 'running';
}
