import { duration } from '../../config';
import { InvalidInputError } from '../errors';
import type { SignedIntent } from '../operators';
import { stragglers } from './acknowledgement.pure';
import type { LevelAct, SignedAct } from './level-act.pure';
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
  /** Where operators sign: what was signed before, with others' consent (`request`). */
  readonly signed?: SignedAct;
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

/** How the controllers are reached; the client does it by Temporal, and signs where operators sign. */
export interface DegradationPort {
  apply(scope: string, act: LevelAct, by: Pick<ByHand, 'as' | 'signed'>): Promise<AppliedLevel>;
  /** Signs what `apply` is to do, to be shown to others first. */
  sign(scope: string, act: LevelAct): Promise<SignedIntent>;
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
    return this.apply(request, this.toSet(request));
  }

  /** Gives the level back to the controller, which comes back step by step. */
  async recover(request: ByHand): Promise<AppliedLevel> {
    return this.apply(request, { kind: 'release', reason: reasonOf(request) });
  }

  /** Refuses writes, of core as well: they go to the durable queue or get 503. */
  async setReadOnly(request: ApplyReadOnly): Promise<AppliedLevel> {
    return this.apply(request, toReadOnly(request));
  }

  async endReadOnly(request: ByHand): Promise<AppliedLevel> {
    return this.apply(request, { kind: 'writable', reason: reasonOf(request) });
  }

  /** Signs what `applyDegradation`, or without a level `setReadOnly`, is to do, to be shown to others first. */
  async request(request: ApplyReadOnly & { readonly level?: string }): Promise<SignedIntent> {
    const { level, ...rest } = request;
    const act = level === undefined ? toReadOnly(rest) : this.toSet({ ...rest, level });
    return this.port.sign(this.scopeOf(request), act);
  }

  private apply(request: ByHand, act: LevelAct): Promise<AppliedLevel> {
    return this.port.apply(this.scopeOf(request), act, request);
  }

  private toSet(request: ApplyDegradation): LevelAct {
    const { level } = request;
    if (rankOf(this.policy, level) === undefined)
      throw new InvalidInputError(`There is no level '${level}'.`, {
        hint: `There are ${this.policy.levels.map(({ name }) => name).join(', ')}.`,
      });
    return { kind: 'set', level, forMs: timeOf(request), reason: reasonOf(request) };
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

function reasonOf({ as, reason }: ByHand): string {
  if (as.trim() === '' || reason.trim() === '')
    throw new InvalidInputError('Say who you are and why: neither `as` nor `reason` may be empty.');
  return reason;
}

const LONGEST_MS = 31 * 86_400_000;

function timeOf(request: Pick<ApplyReadOnly, 'for'>): number {
  const forMs = duration.safeParse(request.for);
  if (forMs.success && forMs.data > 0 && forMs.data <= LONGEST_MS) return Math.round(forMs.data);
  throw new InvalidInputError(`'${request.for}' is no time for a level by hand.`, {
    hint: "Write it like '30m' or '2h', at most 31 days.",
  });
}

function toReadOnly(request: ApplyReadOnly): LevelAct {
  return { kind: 'read-only', forMs: timeOf(request), reason: reasonOf(request) };
}
