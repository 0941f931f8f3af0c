import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DefaultLogger, type ReplayWorkerOptions, Runtime, Worker } from '@temporalio/worker';
import { PayloadCodec } from '../../core/payload-codec';
import { workflowBundle } from './support/workflow-bundle';

const DIRECTORY = join(__dirname, 'histories');

/**
 * Runs that were under way when a version is deployed go on with the new code. Each recorded history stands for one way
 * through a workflow; scripts/record-histories.ts makes them.
 */
beforeAll(() => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
});

/** With payloads encrypted from now on; the histories are from before. */
const encrypting: ReplayWorkerOptions['dataConverter'] = {
  payloadCodecs: [
    new PayloadCodec({
      namespace: 'default',
      keys: {
        toSeal: (owner) => ({ id: owner, owner, key: Buffer.alloc(32, 1) }),
        toOpen: (owner) => ({ id: owner, owner, key: Buffer.alloc(32, 1) }),
      },
      plain: { asInput: 'refuse', until: Number.POSITIVE_INFINITY },
    }),
  ],
  failureConverterPath: join(__dirname, '../../workflows/failure-converter.ts'),
};

test.each([
  ['as they were', false, undefined],
  ['after encryption was switched on', true, encrypting],
])(
  'the workflows replay every recorded history, %s',
  async (_, encrypted, dataConverter) => {
    const files = readdirSync(DIRECTORY).filter((file) => file.endsWith('.json'));
    expect(files.length).toBeGreaterThan(10);
    const histories = files.map((file) => ({
      workflowId: basename(file, '.json'),
      history: JSON.parse(readFileSync(join(DIRECTORY, file), 'utf8')),
    }));
    const failed: string[] = [];
    for await (const { workflowId, error } of Worker.runReplayHistories(
      { workflowBundle: await workflowBundle({ encrypted }), dataConverter },
      histories,
    )) {
      if (error !== undefined) failed.push(`${workflowId}: ${error.message}`);
    }
    expect(failed).toEqual([]);
  },
  300_000,
);
