import type { Pool } from 'pg';
import { type Straggler, stragglers } from '../acknowledgement.pure';
import { INITIAL_STATE } from '../decide.pure';
import { evidenceOf } from '../evidence.pure';
import { levelAt } from '../policy.pure';
import type { Assessment } from '../published-level';
import { strays } from '../strays.pure';
import type { LevelState, Policy, Readings } from '../types';
import { sinceLastLook, worstReadings } from '../worst-readings.pure';
import { type AssessedLevel, giveSign, readAssessed, takenUp } from './controller-sign';
import { noteEvidence } from './note-evidence';
import { type AuthorizeLevel, type Publication, publishLevel, remind } from './publish-level';
import { forgetDead, type ProcessState, readProcesses, samplesOf } from './read-processes';

/** Rows of processes that ended without saying so are kept for a while: a person may ask what became of one. */
const DEAD_KEPT_MS = 3_600_000;

/** What controllers read and write in the control-plane database. */
export class DegradationStore {
  constructor(private readonly platform: Pool) {}

  /**
   * The controller's look at its scope: the worst since its last one. What it saw before is kept beside its sign of life.
   *
   * @param lastLook when that was, as `LevelState.at`.
   */
  async look(
    scope: string,
    policy: Policy,
    before: Assessment | undefined,
    lastLook: LevelState['at'] = before?.state.at,
  ): Promise<{ readonly now: number; readonly readings: Readings; readonly published: number }> {
    await giveSign(this.platform, scope, levelAt(policy, 0).name, before);
    await forgetDead(this.platform, DEAD_KEPT_MS);
    const processes = await readProcesses(this.platform, policy.staleAfterMs);
    const { rows } = await this.platform.query<{ now: number; published: string }>(
      `select extract(epoch from clock_timestamp())::float8 * 1000 as now, version as published
       from chronawflow.degradation_level where scope = $1`,
      [scope],
    );
    const [found = { now: Date.now(), published: '0' }] = rows;
    const now = Math.round(found.now);
    const since = sinceLastLook(policy, lastLook, now);
    const readings = worstReadings(policy, samplesOf(processes, scope), since);
    // Before anything is decided by it: what is decided has to be published.
    await noteEvidence(this.platform, scope, evidenceOf(policy, before?.state ?? INITIAL_STATE, readings));
    return { now, published: Number(found.published), readings };
  }

  async takeUp(scope: string, initial: LevelState): Promise<LevelState> {
    const levels = await this.assessed();
    return takenUp(
      initial,
      levels.find((level) => level.scope === scope),
    );
  }

  /**
   * Where a controller has to go on that remembers what does not stand, such as one that somebody started with a state of his own
   * making; undefined when it may go on as it is.
   */
  async corrected(scope: string, state: LevelState): Promise<LevelState | undefined> {
    const standing = (await this.assessed()).find((level) => level.scope === scope);
    return standing !== undefined && strays(state, standing) ? takenUp(INITIAL_STATE, standing) : undefined;
  }

  publish(policy: Policy, publication: Publication, authorize?: AuthorizeLevel): Promise<boolean> {
    return publishLevel(this.platform, policy, publication, authorize);
  }

  async publishedVersion(scope: string): Promise<number> {
    const { rows } = await this.platform.query<{ version: string }>(
      'select version from chronawflow.degradation_level where scope = $1',
      [scope],
    );
    return Number(rows[0]?.version ?? 0);
  }

  remind(scope: string): Promise<void> {
    return remind(this.platform, scope);
  }

  /** Whether every process that gave a sign within `aliveMs` has applied the version. */
  async acknowledged(
    scope: string,
    version: number,
    aliveMs: number,
  ): Promise<{
    readonly superseded: boolean;
    readonly processes: number;
    readonly stragglers: Straggler[];
  }> {
    const published = await this.publishedVersion(scope);
    const processes = await this.processes(aliveMs);
    return {
      superseded: published > version,
      processes: processes.length,
      stragglers: stragglers(processes, scope, version),
    };
  }

  processes(aliveMs: number): Promise<ProcessState[]> {
    return readProcesses(this.platform, aliveMs);
  }

  assessed(): Promise<AssessedLevel[]> {
    return readAssessed(this.platform);
  }
}
