import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { workflowBundle } from './support/workflow-bundle';

const DIRECTORY = join(__dirname, 'histories');

/**
 * Runs that were under way when a version is deployed go on with the new code. Each recorded history stands for one way
 * through a workflow; scripts/record-histories.ts makes them.
 */
test('the workflows replay every recorded history', async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const files = readdirSync(DIRECTORY).filter((file) => file.endsWith('.json'));
  expect(files.length).toBeGreaterThan(10);
  const histories = files.map((file) => ({
    workflowId: basename(file, '.json'),
    history: JSON.parse(readFileSync(join(DIRECTORY, file), 'utf8')),
  }));
  const failed: string[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle: await workflowBundle() },
    histories,
  )) {
    if (error !== undefined) failed.push(`${workflowId}: ${error.message}`);
  }
  expect(failed).toEqual([]);
});
