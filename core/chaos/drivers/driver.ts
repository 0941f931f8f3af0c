import type { z } from 'zod';
import type { ChaosTarget } from '../../../config';

export type TargetKind = ChaosTarget['kind'];
export type TargetOf<K extends TargetKind> = Extract<ChaosTarget, { readonly kind: K }>;

/** One fault as its driver sees it. */
export interface FaultCall<K extends TargetKind, P> {
  readonly leaseId: string;
  readonly target: TargetOf<K>;
  readonly parameters: P;
  /** Every call of a driver is bounded by it. */
  readonly signal: AbortSignal;
}

export interface PrepareCall<K extends TargetKind, P, S> extends FaultCall<K, P> {
  /** What faults that are open now have saved of targets of this kind: what they will bring back is a part of how it was. */
  readonly others: readonly { readonly target: TargetOf<K>; readonly saved: S }[];
}

export interface InjectCall<K extends TargetKind, P, S> extends FaultCall<K, P> {
  readonly saved: S;
  /** Milliseconds until the lease's last moment: what the fault itself can be bounded by, should be. */
  readonly remainingMs: number;
}

export interface EndCall<K extends TargetKind, P, S> extends FaultCall<K, P> {
  /** undefined when only the control plane's copy of the lease is left, whose content is not trusted so far. */
  readonly saved: S | undefined;
  /** The lease's last moment is past: what was bounded by it has ended by itself. */
  readonly pastDeadline: boolean;
}

/** What is left of a fault when the host loses power. */
export type AfterPowerLoss =
  /** It lived in a process, a session or the kernel. */
  | 'gone'
  /** It is on a disk or on another host: the reaper, started at boot, ends it. */
  | 'stays';

/**
 * A kind of fault: what it needs, how it is brought about, its inverse, and "is it still there".
 *
 * `remove` may come at any moment, also during or before `inject`'s effect, from several processes at once and again after it
 * has succeeded; it then changes nothing. `isThere` throws when it cannot look: not knowing is not "gone".
 */
export interface FaultDriver<K extends TargetKind, P, S> {
  /** Stable, such as `toxiproxy.latency`. */
  readonly name: string;
  readonly targetKind: K;
  readonly summary: string;
  readonly parameters: z.ZodType<P>;
  readonly saved: z.ZodType<S>;
  readonly afterPowerLoss: AfterPowerLoss;
  /** What ends it when every process of Chronawflow is dead and stays so. */
  readonly boundedBy: 'its own process' | 'the server' | 'its rule' | 'the reaper';
  /** Loads what `remove` and `isThere` need. A guard calls it when it acknowledges a lease: what is due must not wait for it. */
  makeReady?(): Promise<void>;
  /** Reads what the inverse needs; changes nothing. */
  prepare(call: PrepareCall<K, P, S>): Promise<S>;
  inject(call: InjectCall<K, P, S>): Promise<void>;
  remove(call: EndCall<K, P, S>): Promise<void>;
  isThere(call: EndCall<K, P, S>): Promise<boolean>;
}

/** A driver whose types are settled: input is parsed by it, so nobody else has to know them. */
export interface AnyDriver
  extends Pick<
    FaultDriver<TargetKind, unknown, unknown>,
    'name' | 'targetKind' | 'summary' | 'afterPowerLoss' | 'boundedBy' | 'makeReady'
  > {
  /** @throws ZodError */
  parse(parameters: unknown): Readonly<Record<string, unknown>>;
  prepare(
    call: RawCall & { readonly others: readonly Required<Pick<RawCall, 'target' | 'saved'>>[] },
  ): Promise<Readonly<Record<string, unknown>>>;
  inject(call: RawCall & { readonly remainingMs: number }): Promise<void>;
  remove(call: RawCall & { readonly pastDeadline: boolean }): Promise<void>;
  isThere(call: RawCall & { readonly pastDeadline: boolean }): Promise<boolean>;
}

export interface RawCall {
  readonly leaseId: string;
  readonly target: ChaosTarget;
  readonly parameters: unknown;
  readonly saved?: unknown;
  readonly signal: AbortSignal;
}
