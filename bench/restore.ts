/**
 * `npm run bench -- restore [--quick] [--json]`: Chronawflow's restore of one tenant beside a script that does the same
 * by hand, on a real PostgreSQL cluster with a real pgBackRest repository and a real Temporal server.
 * How it measures, and what came out: docs/resilience/figures.md.
 */
import { restoreAmongPeers } from './restore/peers';
import { runRounds, type Task, type TaskRounds } from './restore/rounds';
import { scaleOf } from './restore/scale';
import { openScene } from './restore/scene';
import { peersTable, ratioOf, taskTable } from './restore/tables';
import type { Goals } from './support/goals.pure';
import { type Bench, type Measured, runBenchmark } from './support/run-benchmark';

const GOALS: Goals = {
  ratio_60k: '<=1.15',
  ratio_1m: '<=1.15',
  ratio_1m_lost: '<=1.15',
  peer_stall_ms: '<=1000',
  worker_rss_mb: '<=350',
};

async function measure(bench: Bench): Promise<Measured> {
  const scale = scaleOf(bench.quick);
  const scene = await openScene(bench, scale);
  const { small, large } = scene.tenants;
  const rows = (count: number) => `${count.toLocaleString('en')} rows`;
  const rounds = (task: Task) => runRounds(bench, scene, task, scale);

  const ratio60k = await rounds({
    name: `${rows(scale.smallRows)}, 5 % changed`,
    tenant: small,
    mishap: 'five-percent',
  });
  const rssSmall = await scene.worker.peakMemoryMb();
  const ratio1m = await rounds({
    name: `${rows(scale.largeRows)}, 5 % changed`,
    tenant: large,
    mishap: 'five-percent',
  });
  const ratio1mLost = await rounds({
    name: `${rows(scale.largeRows)}, all lost`,
    tenant: large,
    mishap: 'lost',
  });
  const peers = await restoreAmongPeers(bench, scene, scale);
  const rss = await scene.worker.peakMemoryMb();

  const tasks: readonly TaskRounds[] = [ratio60k, ratio1m, ratio1mLost];
  const figures = {
    ratio_60k: ratioOf(ratio60k),
    ratio_1m: ratioOf(ratio1m),
    ratio_1m_lost: ratioOf(ratio1mLost),
    peer_stall_ms: peers.stallMs,
    peer_stall_control_ms: peers.controlMs,
    frozen_ms: peers.frozenMs,
    worker_rss_mb: rss,
    worker_rss_60k_mb: rssSmall,
  };
  return {
    text: [
      ...tasks.map((task) => taskTable(task)),
      peersTable(peers),
      `Worker's peak memory: ${Math.round(rssSmall)} MB after the small tenant, ${Math.round(rss)} MB after the large one.`,
    ].join('\n\n'),
    figures,
  };
}

runBenchmark('restore', GOALS, measure);
