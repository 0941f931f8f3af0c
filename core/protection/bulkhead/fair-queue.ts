/** One queue a tenant; tenants take turns, so that one with a thousand calls waits behind each other's next one. */
export class FairQueue<Item> {
  /** In the order of their turns. */
  private readonly tenants = new Map<string, Set<Item>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  sizeOf(tenant: string): number {
    return this.tenants.get(tenant)?.size ?? 0;
  }

  has(tenant: string, item: Item): boolean {
    return this.tenants.get(tenant)?.has(item) ?? false;
  }

  add(tenant: string, item: Item): void {
    const waiting = this.tenants.get(tenant);
    if (waiting === undefined) this.tenants.set(tenant, new Set([item]));
    else waiting.add(item);
    this.count += 1;
  }

  remove(tenant: string, item: Item): void {
    const waiting = this.tenants.get(tenant);
    if (waiting === undefined || !waiting.delete(item)) return;
    this.count -= 1;
    if (waiting.size === 0) this.tenants.delete(tenant);
  }

  /** Takes the oldest item of the first tenant that may have a place; the tenant's next turn is last. */
  take(mayHave: (tenant: string) => boolean): Item | undefined {
    for (const [tenant, waiting] of this.tenants) {
      if (!mayHave(tenant)) continue;
      const [item] = waiting;
      if (item === undefined) continue;
      this.remove(tenant, item);
      if (this.tenants.delete(tenant)) this.tenants.set(tenant, waiting);
      return item;
    }
    return undefined;
  }
}
