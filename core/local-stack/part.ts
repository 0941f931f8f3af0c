export type PartName =
  | 'temporal'
  | 'application-cluster'
  | 'platform-cluster'
  | 'backup-repository'
  | 'worker'
  | 'control'
  // Of `up --chaos`.
  | 'toxiproxy'
  | 'application-standby'
  | 'second-worker'
  | 'sealer'
  | 'office'
  | 'tax'
  | 'own-network'
  | 'own-scratch';

export type PartStatus =
  | { readonly kind: 'running'; readonly pid?: number; readonly startedAt?: string; readonly where: string }
  | { readonly kind: 'stopped'; readonly reason?: string };

export interface StartControl {
  readonly signal?: AbortSignal;
  /** What is being done now, for a display; called for every step that may take longer than a moment. */
  readonly progress: (text: string) => void;
}

/** One part of the stack. Every method may be called in any state and again. */
export interface StackPart {
  readonly name: PartName;
  /** Brings the part to work, from whatever an earlier start left; returns when it is ready for use. */
  start(control: StartControl): Promise<void>;
  stop(): Promise<void>;
  status(): Promise<PartStatus>;
}
