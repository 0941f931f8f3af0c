import type { BlastRadius, DomainKind, DomainNodes, HitState } from './types';

const SHAPES: Readonly<Record<DomainKind, string>> = {
  tenant: 'house',
  service: 'box',
  database: 'cylinder',
  queue: 'cds',
  cache: 'component',
  external: 'ellipse',
};

const FILLS: Readonly<Record<HitState | 'up', string>> = {
  down: '#f4a7a3',
  impaired: '#fbe3a1',
  up: '#ffffff',
};

/** The graph in Graphviz' language; arrows point at what is needed, dashed where it is soft. With a radius, what is hit is coloured. */
export function drawDot(nodes: DomainNodes, radius?: BlastRadius): string {
  const states = statesOf(radius);
  const lines = Object.entries(nodes).flatMap(([name, { kind, needs }]) => [
    `  ${dotText(name)} [shape=${SHAPES[kind]}, fillcolor="${FILLS[states.get(name) ?? 'up']}"];`,
    ...needs.flatMap(({ of, atLeast, strength }) =>
      of.map((on) => {
        const style = strength === 'soft' ? 'style=dashed' : '';
        const label = of.length > 1 ? `label="${atLeast} of ${of.length}"` : '';
        const attributes = [style, label].filter((one) => one !== '').join(', ');
        return `  ${dotText(name)} -> ${dotText(on)}${attributes === '' ? '' : ` [${attributes}]`};`;
      }),
    ),
  ]);
  const head = ['digraph domains {', '  rankdir=LR;', '  node [style=filled, fontname="sans-serif"];'];
  return [...head, ...lines, '}'].join('\n');
}

const MERMAID: Readonly<Record<DomainKind, readonly [string, string]>> = {
  tenant: ['([', '])'],
  service: ['[', ']'],
  database: ['[(', ')]'],
  queue: ['[[', ']]'],
  cache: ['{{', '}}'],
  external: ['((', '))'],
};

/** The same in Mermaid's language, which web pages of repositories draw by themselves. */
export function drawMermaid(nodes: DomainNodes, radius?: BlastRadius): string {
  const states = statesOf(radius);
  const ids = new Map(Object.keys(nodes).map((name, number) => [name, `n${number}`]));
  const lines = Object.entries(nodes).flatMap(([name, { kind, needs }]) => {
    const id = ids.get(name);
    const [open, close] = MERMAID[kind];
    const state = states.get(name);
    return [
      `  ${id}${open}"${name.replaceAll('"', '#quot;')}"${close}${state === undefined ? '' : `:::${state}`}`,
      ...needs.flatMap(({ of, atLeast, strength }) =>
        of.map((on) => {
          const arrow = strength === 'soft' ? '-.->' : '-->';
          return `  ${id} ${arrow}${of.length > 1 ? `|${atLeast} of ${of.length}|` : ''} ${ids.get(on)}`;
        }),
      ),
    ];
  });
  const classes = [`  classDef down fill:${FILLS.down}`, `  classDef impaired fill:${FILLS.impaired}`];
  return ['flowchart LR', ...lines, ...(radius === undefined ? [] : classes)].join('\n');
}

function statesOf(radius: BlastRadius | undefined): Map<string, HitState> {
  return new Map(radius?.hits.map(({ name, state }) => [name, state]));
}

function dotText(name: string): string {
  return `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
