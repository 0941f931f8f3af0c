import { duration } from '../../config';
import { InvalidInputError } from '../errors';
import { stragglers } from './acknowledgement.pure';
import { levelAt, rankOf } from './policy.pure';
import { readingsOf } from './readings.pure';
import { PLATFORM_SCOPE } from './scope';
import type { ScopeHealth, WayBack } from './scope-health';
import type { AssessedLevel } from './store/controller-sign';
import type { DegradationStore } from './store/degradation-store';
import { samplesOf } from './store/read-processes';
import type { Policy, Readings } from './types';
import { budgetLeft, keeping, remainingDwell } from './way-back.pure';

/** Who asks, why, and for which scope: `platform`, or what `tierScope` makes of a tier. */
export interface ByHand {
  readonly as: string;
  readonly reason: string;
  /** Default `platform`. */
  readonly scope?: string;
}

export interface ApplyDegradation extends ByHand {
  readonly level: string;
  /** After it the controller decides again: `'2h'`-style text or milliseconds, at most 31 days. */
  readonly for: string | number;
}

export type ApplyReadOnly = Omit<ApplyDegradation, 'level'>;

/** The level that a controller answers with, and the version under which processes follow it. */
export interface AppliedLevel {
  readonly level: string;
  readonly version: number;
}

/** How the controllers are reached; the client does it by Temporal. */
export interface DegradationPort {
  setLevel(
    scope: string,
    request: {
      readonly level: string;
      readonly by: string;
      readonly reason: string;
      readonly forMs: number;
    },
  ): Promise<AppliedLevel>;
  releaseLevel(
    scope: string,
    request: { readonly by: string; readonly reason: string },
  ): Promise<AppliedLevel>;
  setReadOnly(
    scope: string,
    request: { readonly by: string; readonly reason: string; readonly forMs: number },
  ): Promise<AppliedLevel>;
  endReadOnly(
    scope: string,
    request: { readonly by: string; readonly reason: string },
  ): Promise<AppliedLevel>;
}

/**
 * The levels of degradation as an operator has them in hand. What is off in a process, `Degradation` knows.
 *
 * @example
 * const [platform] = await cf.degradation.assessSystemHealth();
 * await cf.degradation.applyDegradation({ level: 'limited', for: '2h', as: 'ada', reason: 'the bank is down' });
 * await cf.degradation.recover({ as: 'ada', reason: 'the bank is back' });
 */
export class DegradationModesManager {
  constructor(
    private readonly policy: Policy,
    private readonly scopes: readonly string[],
    private readonly store: DegradationStore,
    private readonly port: DegradationPort,
  ) {}

  /** How each scope is, by what processes report now; needs the control plane's database and nothing else. */
  async assessSystemHealth(): Promise<readonly ScopeHealth[]> {
    const [levels, processes] = await Promise.all([
      this.store.assessed(),
      this.store.processes(this.policy.staleAfterMs),
    ]);
    return this.scopes.map((scope) => {
      const level = levels.find((one) => one.scope === scope);
      const readings = readingsOf(this.policy, samplesOf(processes, scope));
      return {
        ...this.describe(scope, level, readings),
        readings,
        processes: processes.length,
        stragglers: stragglers(processes, scope, level?.version ?? 0),
      };
    });
  }

  /**
   * Sets a level by hand; the controller's own decisions wait until its time is over or `recover`.
   *
   * @throws InvalidInputError for a level that is none; NoWorkerAnsweredError, TemporalUnavailableError
   */
  async applyDegradation(request: ApplyDegradation): Promise<AppliedLevel> {
    if (rankOf(this.policy, request.level) === undefined)
      throw new InvalidInputError(`There is no level '${request.level}'.`, {
        hint: `There are ${this.policy.levels.map(({ name }) => name).join(', ')}.`,
      });
    const { level, ...byHand } = request;
    return this.port.setLevel(this.scopeOf(byHand), { ...askedFor(byHand), level });
  }

  /** Gives the level back to the controller, which comes back step by step. */
  async recover(request: ByHand): Promise<AppliedLevel> {
    return this.port.releaseLevel(this.scopeOf(request), asked(request));
  }

  /** Refuses writes, of core as well: they go to the durable queue or get 503. */
  async setReadOnly(request: ApplyReadOnly): Promise<AppliedLevel> {
    return this.port.setReadOnly(this.scopeOf(request), askedFor(request));
  }

  async endReadOnly(request: ByHand): Promise<AppliedLevel> {
    return this.port.endReadOnly(this.scopeOf(request), asked(request));
  }

  private scopeOf({ scope = PLATFORM_SCOPE }: { readonly scope?: string }): string {
    if (this.scopes.includes(scope)) return scope;
    throw new InvalidInputError(`There is no scope '${scope}'.`, {
      hint: `There are ${this.scopes.join(', ')}; tiers are listed under degradation.tiers.`,
    });
  }

  private describe(scope: string, level: AssessedLevel | undefined, readings: Readings) {
    const rank = level?.rank ?? 0;
    const silentMs = level?.silentMs ?? Number.POSITIVE_INFINITY;
    const wayBack = rank > 0 && level?.override === undefined ? this.wayBack(level, readings) : undefined;
    return {
      scope,
      level: level?.level ?? levelAt(this.policy, 0).name,
      rank,
      strategy: levelAt(this.policy, rank),
      reason: level?.reason ?? 'nothing was decided yet',
      since: level?.since ?? '',
      silentMs,
      watched: silentMs <= this.policy.silentAfterMs,
      ...(level?.override && { override: level.override }),
      ...(level?.readOnly && { readOnly: level.readOnly }),
      ...(wayBack && { wayBack }),
    };
  }

  private wayBack(level: AssessedLevel | undefined, readings: Readings): WayBack | undefined {
    const state = level?.assessment?.state;
    if (level === undefined || state === undefined) return undefined;
    const at = { ...state, rank: level.rank };
    const rules = keeping(this.policy, at, readings);
    const left = remainingDwell(this.policy, at);
    return {
      keeping: rules.map((rule) => ({ ...rule, value: readings[rule.signal]?.value })),
      dwellLeftMs: rules.length === 0 && Number.isFinite(left) ? left : undefined,
      budgetLeft: budgetLeft(this.policy, at),
    };
  }
}

function asked({ as, reason }: ByHand) {
  if (as.trim() === '' || reason.trim() === '')
    throw new InvalidInputError('Say who you are and why: neither `as` nor `reason` may be empty.');
  return { by: as, reason };
}

const LONGEST_MS = 31 * 86_400_000;

function askedFor(request: ApplyReadOnly) {
  const forMs = duration.safeParse(request.for);
  if (!forMs.success || !(forMs.data > 0 && forMs.data <= LONGEST_MS))
    throw new InvalidInputError(`'${request.for}' is no time for a level by hand.`, {
      hint: "Write it like '30m' or '2h', at most 31 days.",
    });
  return { ...asked(request), forMs: forMs.data };
}
