/**
 * `npm run bench -- restore [--quick] [--json] [--only 60k|60k-lost|1m|1m-lost|peers]`: Chronawflow's restore of one tenant beside a script that does the same
 * by hand, on a real PostgreSQL cluster with a real pgBackRest repository and a real Temporal server.
 * How it measures, and what came out: docs/resilience/figures.md.
 */
import type { MishapKind } from './restore/mishaps';
import { restoreAmongPeers } from './restore/peers';
import { runRounds } from './restore/rounds';
import { scaleOf } from './restore/scale';
import { openScene } from './restore/scene';
import { peersTable, ratioOf, taskTable } from './restore/tables';
import type { Goals } from './support/goals.pure';
import { type Bench, inSections, type Measured, runBenchmark } from './support/run-benchmark';

const GOALS: Goals = {
  ratio_60k: '<=1.15',
  ratio_60k_lost: '<=1.15',
  ratio_1m: '<=1.15',
  ratio_1m_lost: '<=1.15',
  peer_stall_ms: '<=1000',
  worker_rss_mb: '<=350',
};

/** What `--only` chooses from, in the order in which all are measured. */
const PARTS = ['60k', '60k-lost', '1m', '1m-lost', 'peers'] as const;
type Part = (typeof PARTS)[number];

async function measure(bench: Bench): Promise<Measured> {
  const scale = scaleOf(bench.quick);
  const scene = await openScene(bench, scale);
  const { small, large } = scene.tenants;
  const compare = async (tenant: string, mishap: MishapKind, figure: string): Promise<Measured> => {
    const rows = (tenant === small ? scale.smallRows : scale.largeRows).toLocaleString('en');
    const harm = mishap === 'lost' ? 'all lost' : '5 % changed';
    const rounds = await runRounds(bench, scene, { name: `${rows} rows, ${harm}`, tenant, mishap }, scale);
    return { text: taskTable(rounds), figures: { [figure]: ratioOf(rounds) } };
  };
  const memory = async (figure: string, when: string): Promise<Measured> => {
    const rss = await scene.worker.peakMemoryMb();
    return { text: `Worker's peak memory ${when}: ${Math.round(rss)} MB`, figures: { [figure]: rss } };
  };
  const parts: Readonly<Record<Part, readonly (() => Promise<Measured>)[]>> = {
    '60k': [
      () => compare(small, 'five-percent', 'ratio_60k'),
      () => memory('worker_rss_60k_mb', 'after the small tenant'),
    ],
    '60k-lost': [() => compare(small, 'lost', 'ratio_60k_lost')],
    '1m': [() => compare(large, 'five-percent', 'ratio_1m')],
    '1m-lost': [() => compare(large, 'lost', 'ratio_1m_lost')],
    peers: [
      async () => {
        const peers = await restoreAmongPeers(bench, scene, scale);
        const { stallMs, controlMs, frozenMs } = peers;
        const figures = { peer_stall_ms: stallMs, peer_stall_control_ms: controlMs, frozen_ms: frozenMs };
        return { text: peersTable(peers), figures };
      },
    ],
  };
  const chosen = PARTS.filter((part) => bench.only === undefined || bench.only === part);
  return inSections(bench, [
    ...chosen.flatMap((part) => parts[part]),
    () => memory('worker_rss_mb', 'by the end'),
  ]);
}

runBenchmark('restore', GOALS, measure, PARTS);
