/**
 * `npm run bench -- payloads [--quick] [--json]`: what it costs to encrypt what Temporal stores, beside what the SDK does to a
 * payload anyway. What came out: docs/compliance/figures.md.
 */
import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { defaultPayloadConverter } from '@temporalio/common';
import { openPayload, sealPayload } from '../core/payload-codec/seal-payload';
import { alternate } from './protection/alternate';
import { type Bench, type Measured, runBenchmark } from './support/run-benchmark';
import { table } from './support/table';

/** Bytes of the values as JSON: an argument, a preview's page, close to what one payload may be. */
const SIZES = [200, 2_000, 20_000, 200_000];
const NAMESPACE = 'default';

async function measure(bench: Bench): Promise<Measured> {
  const key = { id: 'k1', owner: 'acme', key: randomBytes(32) };
  const figures: Record<string, number> = {};
  const rows: string[][] = [];
  for (const size of SIZES) {
    await bench.progress.during(`payloads of ${size} bytes`, async () => {
      const value = rowsOf(size);
      const plain = defaultPayloadConverter.toPayload(value);
      const sealed = sealPayload(plain, key, NAMESPACE);
      const work = { rounds: bench.quick ? 3 : 9, calls: Math.ceil((bench.quick ? 2e5 : 2e6) / size) + 50 };
      const ns = await alternate(
        [
          { name: 'convert', call: async () => defaultPayloadConverter.toPayload(value) },
          { name: 'compress', call: async () => deflateRawSync(plain.data ?? '', { level: 1 }) },
          { name: 'seal', call: async () => sealPayload(plain, key, NAMESPACE) },
          { name: 'open', call: async () => openPayload(sealed, key, NAMESPACE) },
        ],
        work,
      );
      const ratio = bytesOf(sealed) / bytesOf(plain);
      figures[`seal_ns_${size}`] = ns('seal');
      figures[`open_ns_${size}`] = ns('open');
      figures[`bytes_ratio_${size}`] = ratio;
      const micros = (name: string) => (ns(name) / 1_000).toFixed(1);
      rows.push([
        `${size} bytes`,
        micros('convert'),
        micros('compress'),
        micros('seal'),
        micros('open'),
        ratio.toFixed(2),
      ]);
    });
  }
  const head = ['a value as JSON', 'convert µs', 'compress µs', 'seal µs', 'open µs', 'bytes ÷ plain'];
  return { text: table('Payload encryption', head, rows), figures };
}

/** Rows as a preview has them: names that repeat, values that do not. */
function rowsOf(bytes: number): unknown {
  const rows: unknown[] = [];
  for (let n = 0; JSON.stringify(rows).length < bytes; n += 1)
    rows.push({ table: 'public.invoices', key: `id=${n * 7919}`, amount: (n * 104_729) % 100_000 });
  return rows;
}

function bytesOf({ metadata, data }: ReturnType<typeof sealPayload>): number {
  const entries = Object.entries(metadata ?? {});
  return entries.reduce((sum, [name, value]) => sum + name.length + value.length, data?.length ?? 0);
}

runBenchmark('payloads', {}, measure);
