interface Needing {
  readonly needs: readonly {
    readonly of: readonly string[];
    readonly atLeast: number;
    readonly strength: 'hard' | 'soft';
  }[];
}

/**
 * A way from a part to itself along what each cannot do without: none of them could ever be started. A soft need, or one that
 * another part can meet, leaves a way to start, and makes no cycle.
 *
 * @returns the names on the way, the first one again at its end; undefined when there is none
 */
export function dependencyCycle(nodes: Readonly<Record<string, Needing>>): string[] | undefined {
  const indispensable = (name: string): string[] =>
    (nodes[name]?.needs ?? []).flatMap(({ of, atLeast, strength }) =>
      strength === 'hard' && atLeast === of.length ? of : [],
    );
  const finished = new Set<string>();
  for (const start of Object.keys(nodes)) {
    // Depth first without recursion: a chain may be thousands of parts long.
    const path: { readonly name: string; readonly next: string[] }[] = [];
    const onPath = new Set<string>();
    const enter = (name: string) => {
      onPath.add(name);
      path.push({ name, next: indispensable(name) });
    };
    if (!finished.has(start)) enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.next.shift();
      if (next === undefined) {
        finished.add(top.name);
        onPath.delete(top.name);
        path.pop();
      } else if (onPath.has(next)) {
        const names = path.map(({ name }) => name);
        return [...names.slice(names.indexOf(next)), next];
      } else if (!finished.has(next)) {
        enter(next);
      }
    }
  }
  return undefined;
}
