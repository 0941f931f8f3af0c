import { setTimeout as sleep } from 'node:timers/promises';
import { Chronawflow } from '../../client';
import type { Config } from '../../config';
import { Degradation } from '../../core/degradation';
import { followCallFaults } from '../../core/injection-points';
import { grantApplicationRole } from '../../core/local-stack';
import { createPool } from '../../database';
import { installAccuBooks } from '../accubooks';
import { type Connections, openConnections } from './connections';
import { writeAtDesk } from './desk';
import { JobLedger } from './job-ledger';
import { LimitScene } from './limit-scene';
import { RestoreScene } from './restore-scene';
import { TaxScene } from './tax-scene';
import { type OfficeTenants, openTenants } from './tenants';
import { Watch } from './watch';

/** Everything that the office does, open. */
export interface Office {
  readonly connections: Connections;
  readonly tenants: OfficeTenants;
  readonly jobs: JobLedger;
  readonly restore: RestoreScene;
  readonly tax: TaxScene;
  readonly limits: LimitScene;
  readonly watch: Watch;
  close(): Promise<void>;
}

/** Often enough that each second has a latency to tell: a handful of requests says nothing. */
const DESK_EVERY_MS = 40;

export async function openOffice(config: Config): Promise<Office> {
  const connections = openConnections(config);
  const { application, platform, desk, standby } = connections;
  await installAccuBooks(application);
  await grantApplicationRole(application);
  const tenants = await openTenants(application);
  const cf = await Chronawflow.connect({ config });
  // Its own way to the control plane, which may be the one that is disturbed.
  const shared = createPool(config.platform.database, { applicationName: 'office', max: 1 });
  const unfollow = followCallFaults(shared, { targets: config.chaos?.targets ?? {} });
  const degradation = await Degradation.start(config, { name: 'office', onError: () => undefined });
  const tax = await TaxScene.start(connections.taxUrl, tenants.harbour);
  const limits = await LimitScene.start(config, tenants.harbour);
  let open = true;
  const deskWork = (async () => {
    while (open) {
      const { outcome, tookMs } = await writeAtDesk(desk, tenants.juniper);
      degradation.note(outcome === 'written' ? 'answered' : 'failed', tookMs);
      await sleep(DESK_EVERY_MS);
    }
  })();
  return {
    ...{ connections, tenants, tax, limits },
    jobs: new JobLedger(cf, application),
    restore: await RestoreScene.open(cf, application, tenants.rosewood),
    watch: new Watch(connections, config.audit.publicKey),
    close: async () => {
      open = false;
      await deskWork;
      await Promise.all([unfollow(), degradation.close(), tax.stop(), limits.stop(), cf.close()]);
      await Promise.all([application, platform, desk, standby, shared].map((pool) => pool.end()));
    },
  };
}
