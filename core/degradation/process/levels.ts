import type { PublishedLevel } from '../published-level';
import { PLATFORM_SCOPE, scopesOf } from '../scope';
import type { Policy } from '../types';
import { LevelView } from './level-view';

/**
 * The levels of all scopes in this process. A tier's view is in force at the harder of its own level and the platform's.
 * A level with a smaller version than the one in force is old news.
 */
export class Levels {
  readonly platform: LevelView;
  private readonly views = new Map<string, LevelView>();
  private readonly known = new Map<string, PublishedLevel>();

  constructor(
    policy: Policy,
    tiers: readonly string[],
    clock: () => number,
    onCoreShed: (feature: string, level: string) => void,
  ) {
    for (const scope of scopesOf({ tiers })) this.views.set(scope, new LevelView(policy, clock, onCoreShed));
    this.platform = this.of(PLATFORM_SCOPE) ?? new LevelView(policy, clock, onCoreShed);
  }

  of(scope: string): LevelView | undefined {
    return this.views.get(scope);
  }

  get published(): Iterable<PublishedLevel> {
    return this.known.values();
  }

  /** Scope → version in force. */
  get versions(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.known].map(([scope, { version }]) => [scope, version]));
  }

  /** @returns the scopes whose version is new here. */
  follow(published: readonly PublishedLevel[]): string[] {
    const first = this.known.size === 0;
    const news: string[] = [];
    for (const level of published) {
      const before = this.known.get(level.scope);
      if (before !== undefined && before.version > level.version) continue;
      if (before?.version !== level.version) news.push(level.scope);
      this.known.set(level.scope, level);
    }
    // A process that starts takes what is in force at once; there is nothing that it would let in again.
    if (news.length > 0) for (const [scope, view] of this.views) this.enter(scope, view, !first);
    return news;
  }

  private enter(scope: string, view: LevelView, gently: boolean): void {
    const platform = this.known.get(PLATFORM_SCOPE);
    const own = this.known.get(scope);
    const rank = Math.max(platform?.rank ?? 0, own?.rank ?? 0);
    view.enter(rank, platform?.readOnly ?? own?.readOnly, gently);
  }
}
