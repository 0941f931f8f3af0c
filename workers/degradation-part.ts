import { createHash } from 'node:crypto';
import { defineSearchAttributeKey } from '@temporalio/common';
import { createDegradationActivities } from '../activities/degradation';
import type { Config } from '../config';
import { canonicalJson } from '../core/canonical-json';
import {
  applicationSignals,
  breakerSignals,
  Degradation,
  DegradationStore,
  healthSignals,
  type LevelView,
  loadPolicy,
  type PriorityClass,
  queueSignals,
  scopesOf,
} from '../core/degradation';
import { sharedMetrics } from '../core/metrics';
import { repeat } from '../core/repeat';
import { createPool } from '../database';
import { searchAttributeNames } from '../workflows/contract';
import {
  controllerWorkflowId,
  degradationCapability,
  degradationWorkflowNames,
} from '../workflows/degradation-contract';
import type { ControlPart, ControlServices } from './control-part';
import { failedRound } from './failed-round';

/** A controller that somebody has terminated comes back within this time. */
const ENSURE_EVERY_MS = 30_000;

/** A look through the queue, and one at the database itself: neither waits for the other. */
const APPLICATION_CONNECTIONS = 2;
const ANSWER_LIMIT_MS = 3_000;
/** So long a stop may have to wait while Temporal is away. */
const START_LIMIT_MS = 5_000;

/** The controllers of degradation levels, one for the platform and one for each tier, and what only this process can see. */
export async function degradationPart(services: ControlServices): Promise<ControlPart> {
  const { config, platform, log, health, intents } = services;
  const section = config.degradation;
  if (section === undefined) return { activities: {} };
  const policy = loadPolicy(section);
  const application = createPool(config.application.database, {
    applicationName: 'chronawflow control',
    max: APPLICATION_CONNECTIONS,
    connectTimeoutMs: ANSWER_LIMIT_MS,
    queryTimeoutMs: ANSWER_LIMIT_MS,
  });
  const follower: Degradation = await Degradation.start(asControl(config), {
    name: 'control',
    signals: [queueSignals(application, () => heldClasses(follower.forTier(undefined)))],
    gauges: [healthSignals(health), breakerSignals(platform), applicationSignals(application)],
    onChange: ({ scope, level, reason }) => log.warn({ scope, level, reason }, 'the level has changed'),
    onError: (err) => log.warn({ err }, 'degradation'),
  });
  const controllers = repeat(
    ENSURE_EVERY_MS,
    () => ensureControllers(services, scopesOf(section)),
    failedRound(log, 'starting the controllers'),
  );
  return {
    activities: createDegradationActivities({
      platform,
      ...(intents === undefined ? {} : { intents }),
      store: new DegradationStore(platform),
      policy,
      policyHash: createHash('sha256').update(canonicalJson(policy)).digest('hex'),
      metrics: sharedMetrics,
    }),
    start: () => controllers.start(),
    close: async () => {
      await controllers.stop();
      await follower.close();
      await application.end();
    },
  };
}

/** Whose jobs wait on purpose. */
function heldClasses({ readOnly, strategy }: LevelView): readonly PriorityClass[] {
  return readOnly === undefined ? strategy.holdJobs : ['high', 'normal', 'low'];
}

/** Starts each scope's controller, or finds that it runs: however many processes do it, there is one. */
async function ensureControllers(
  { temporal, taskQueue, log }: ControlServices,
  scopes: readonly string[],
): Promise<void> {
  for (const scope of scopes) {
    try {
      await temporal.withDeadline(Date.now() + START_LIMIT_MS, () =>
        temporal.workflow.start(degradationWorkflowNames.controller, {
          workflowId: controllerWorkflowId(scope),
          taskQueue,
          args: [{ scope }],
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          staticSummary: `Degradation level of ${scope}`,
          typedSearchAttributes: [
            {
              key: defineSearchAttributeKey(searchAttributeNames.capability, 'KEYWORD'),
              value: degradationCapability,
            },
          ],
        }),
      );
    } catch (err) {
      log.warn({ err, scope }, 'the controller could not be started yet; trying again');
    }
  }
}

/** This process has a role of its own, on the direct way as well. */
function asControl({ platform, control, degradation }: Config): Pick<Config, 'platform' | 'degradation'> {
  const own = control.database;
  if (own === undefined) return { platform, degradation };
  const { user, password, passwordFile } = own;
  const { directDatabase: direct } = platform;
  return {
    degradation,
    platform: { database: own, directDatabase: direct && { ...direct, user, password, passwordFile } },
  };
}
