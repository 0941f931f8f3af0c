/** Ends a stay; again it does nothing. */
export type Leave = () => void;

interface Waiter {
  readonly alone: boolean;
  admit(): void;
}

/**
 * Lets attempts of this process run beside each other, or one of them alone. First come, first served: whoever comes after
 * one that wants to be alone waits behind it, so that it is not put off for ever.
 */
export class RunGate {
  private inside = 0;
  private occupied = false;
  private readonly waiting: Waiter[] = [];

  /** @throws the signal's reason when it is aborted first */
  enter(signal: AbortSignal): Promise<Leave> {
    return this.wait(false, signal);
  }

  /** Resolves when nobody else is inside. @throws the signal's reason when it is aborted first */
  enterAlone(signal: AbortSignal): Promise<Leave> {
    return this.wait(true, signal);
  }

  private wait(alone: boolean, signal: AbortSignal): Promise<Leave> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const giveUp = () => {
        this.waiting.splice(this.waiting.indexOf(waiter), 1);
        reject(signal.reason);
        this.admit();
      };
      const waiter: Waiter = {
        alone,
        admit: () => {
          signal.removeEventListener('abort', giveUp);
          resolve(this.leaving(alone));
        },
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.waiting.push(waiter);
      this.admit();
    });
  }

  private admit(): void {
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      if (this.occupied || (next.alone && this.inside > 0)) return;
      this.waiting.shift();
      this.inside += 1;
      this.occupied = next.alone;
      next.admit();
    }
  }

  private leaving(alone: boolean): Leave {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.inside -= 1;
      if (alone) this.occupied = false;
      this.admit();
    };
  }
}
