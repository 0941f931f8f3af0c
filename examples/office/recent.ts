/** What happened in the last seconds, for those who ask how it is now. */
export class Recent<T> {
  private entries: { readonly at: number; readonly value: T }[] = [];

  constructor(private readonly spanMs: number) {}

  add(value: T): void {
    const now = performance.now();
    this.entries.push({ at: now, value });
    if (this.entries.length > 10_000) this.entries = this.entries.filter(({ at }) => now - at <= this.spanMs);
  }

  values(): readonly T[] {
    const now = performance.now();
    this.entries = this.entries.filter(({ at }) => now - at <= this.spanMs);
    return this.entries.map(({ value }) => value);
  }
}
