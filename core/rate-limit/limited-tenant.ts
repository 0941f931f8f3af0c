import type { LimitedResource } from './limited-resource';
import type { PenaltyState } from './penalty.pure';

/** Resources of one tenant that are remembered: their names may be somebody's input. */
const MAX_RESOURCES = 256;

/** What the limiter keeps for one tenant. */
export class LimitedTenant {
  penalty: PenaltyState | undefined;
  private readonly resources = new Map<string, LimitedResource>();
  private lastName: string | undefined;
  private lastResource: LimitedResource | undefined;

  resource(name: string, make: () => LimitedResource): LimitedResource {
    if (this.lastName === name && this.lastResource !== undefined) return this.lastResource;
    const resource = this.resources.get(name) ?? this.add(name, make());
    this.lastName = name;
    this.lastResource = resource;
    return resource;
  }

  /** Replaces every resource whose rule has changed. */
  replace(remake: (name: string, before: LimitedResource) => LimitedResource): void {
    for (const [name, before] of this.resources) this.resources.set(name, remake(name, before));
    this.lastName = undefined;
  }

  private add(name: string, resource: LimitedResource): LimitedResource {
    if (this.resources.size >= MAX_RESOURCES) {
      for (const oldest of this.resources.keys()) {
        this.resources.delete(oldest);
        break;
      }
    }
    this.resources.set(name, resource);
    return resource;
  }
}
