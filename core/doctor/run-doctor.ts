import type { Config } from '../../config';
import { createPool } from '../../database';
import { checkArchiving } from './check-archiving';
import { checkBackup } from './check-backup';
import { checkBypass } from './check-bypass';
import { checkMigrations } from './check-migrations';
import { checkOperators } from './check-operators';
import { checkPayloads } from './check-payloads';
import { checkPlatformRole } from './check-platform-role';
import {
  checkNode,
  checkPgBackRest,
  checkPostgresPrograms,
  checkServerUser,
  checkTemporalCli,
} from './check-programs';
import { checkRepositoryAccess } from './check-repository-access';
import { checkApplicationRole } from './check-role';
import { checkScratch } from './check-scratch';
import { checkServer, serverMajor } from './check-server';
import { checkTenancy } from './check-tenancy';
import { type Check, type Finding, runCheck, skipped } from './finding';

/** Called after each check, so that a slow one does not look like a hang. */
export type OnFindings = (findings: readonly Finding[]) => void;

/** A server that is away is away after this long: a person is waiting. */
const CONNECT_TIMEOUT_MS = 5_000;

/** What can be looked at without a configuration. */
export async function examineHost(onFindings: OnFindings): Promise<readonly Finding[]> {
  return inOrder([checkNode(), checkServerUser(), checkTemporalCli()], onFindings);
}

/** Both databases, the backups and the scratch directory; in order, and skipping what cannot be known without a server. */
export async function examineParts(config: Config, onFindings: OnFindings): Promise<readonly Finding[]> {
  const options = { applicationName: 'chronawflow doctor', max: 2, connectTimeoutMs: CONNECT_TIMEOUT_MS };
  const application = createPool(config.application.database, options);
  const platform = createPool(config.platform.database, options);
  const { backup } = config.application;
  try {
    const platformFindings = await whenReachable(
      checkServer('control-plane database', platform, 'platform.database'),
      async () => [
        checkMigrations('platform', platform),
        checkPlatformRole(platform),
        checkPayloads(config.payloads, platform),
        checkOperators(platform, config),
      ],
      onFindings,
    );
    let major: number | undefined;
    const applicationFindings = await whenReachable(
      checkServer('application database', application, 'application.database'),
      async () => {
        major = await serverMajor(application);
        return [
          checkMigrations('application', application),
          checkApplicationRole(application, config.tenancy.schemas),
          checkTenancy(application, config.tenancy),
          checkBypass(application, config.tenancy),
          checkArchiving(application),
          checkScratch(backup.scratchDirectory, application),
        ];
      },
      onFindings,
    );
    const rest = await inOrder(
      [
        checkPostgresPrograms(backup.postgresBin, major),
        checkPgBackRest(backup.binary),
        checkBackup(backup),
        checkRepositoryAccess(backup),
      ],
      onFindings,
    );
    return [...platformFindings, ...applicationFindings, ...rest];
  } finally {
    await Promise.all([application.end(), platform.end()]);
  }
}

async function whenReachable(
  reach: Check,
  others: () => Promise<readonly Check[]>,
  onFindings: OnFindings,
): Promise<readonly Finding[]> {
  const reached = await inOrder([reach], onFindings);
  if (reached.some(({ state }) => state === 'broken')) {
    const rest = [skipped(`what is in the ${reach.name}`, 'it cannot be looked at')];
    onFindings(rest);
    return [...reached, ...rest];
  }
  return [...reached, ...(await inOrder(await others(), onFindings))];
}

async function inOrder(checks: readonly Check[], onFindings: OnFindings): Promise<Finding[]> {
  const all: Finding[] = [];
  for (const check of checks) {
    const findings = await runCheck(check);
    onFindings(findings);
    all.push(...findings);
  }
  return all;
}
