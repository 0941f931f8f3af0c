/**
 * A map that forgets what was not used lately: two generations, of which the older is dropped when the younger is full
 * or its time is over. At least the `capacity / 2` most recently used keys are there, and each is kept for at least
 * `idleMs` unless there are more than that. Constant time, no timer, no linked list. Idea: Dominic Tarr's hashlru.
 */
export class Generations<V> {
  private young = new Map<string, V>();
  private old = new Map<string, V>();
  private begin = 0;
  private readonly half: number;

  constructor(
    capacity: number,
    private readonly idleMs: number,
  ) {
    this.half = Math.max(1, Math.floor(capacity / 2));
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  get(key: string, now: number): V | undefined {
    const value = this.young.get(key);
    if (value !== undefined) return value;
    if (this.old.size === 0) return undefined;
    const aged = this.old.get(key);
    if (aged === undefined) return undefined;
    this.old.delete(key);
    this.set(key, aged, now);
    return aged;
  }

  set(key: string, value: V, now: number): void {
    if (this.young.size >= this.half || now - this.begin > this.idleMs) {
      this.old = this.young;
      this.young = new Map();
      this.begin = now;
    }
    this.young.set(key, value);
  }

  delete(key: string): void {
    this.young.delete(key);
    this.old.delete(key);
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }

  *values(): Iterable<V> {
    yield* this.young.values();
    yield* this.old.values();
  }
}
