/**
 * `npm run bench -- audit [--quick] [--json]`: what recording, sealing and verifying the audit log costs, each beside what it
 * is compared with. How it measures, and what came out: docs/compliance/figures.md.
 */
import { measureInserts } from './audit/inserts';
import { openAuditScene } from './audit/scene';
import { measureSealDelay, measureSealing } from './audit/sealing';
import { insertTable, proofTable, sealTable, verifyTable } from './audit/tables';
import { measureProofs, measureVerify } from './audit/verifying';
import type { Goals } from './support/goals.pure';
import { type Bench, type Measured, runBenchmark } from './support/run-benchmark';

const GOALS: Goals = {
  insert_vs_plain: '>=0.9',
  sealer_vs_insert: '>=4',
  seal_delay_p99_ms: '<=1000',
  verify_vs_sha256: '>=0.5',
  verify_rss_mb: '<=200',
};

async function measure(bench: Bench): Promise<Measured> {
  const scene = await openAuditScene(bench);
  const inserts = await measureInserts(bench, scene);
  const sealing = await measureSealing(bench, scene);
  const delay = await measureSealDelay(bench, scene);
  const verify = await measureVerify(bench, scene);
  const proofs = await measureProofs(bench, scene);
  return {
    text: [insertTable(inserts), sealTable(sealing, delay), verifyTable(verify), proofTable(proofs)].join(
      '\n\n',
    ),
    figures: {
      insert_vs_plain: inserts.audit / inserts.plain,
      insert_vs_hash_chain: inserts.audit / inserts.chain,
      insert_per_s: inserts.audit,
      sealer_vs_insert: sealing.perSecond / inserts.audit,
      sealer_per_s: sealing.perSecond,
      seal_delay_p50_ms: delay.p50,
      seal_delay_p99_ms: delay.p99,
      verify_vs_sha256: verify.export.perSecond / verify.sha256PerSecond,
      verify_database_vs_sha256: verify.database.perSecond / verify.sha256PerSecond,
      verify_per_s: verify.export.perSecond,
      verify_rss_mb: Math.max(verify.export.rssMb, verify.database.rssMb),
      verify_entries: verify.entries,
      receipt_bytes: proofs.bytes,
      receipt_ms: proofs.makeMs,
      receipt_verify_ms: proofs.verifyMs,
    },
  };
}

runBenchmark('audit', GOALS, measure);
