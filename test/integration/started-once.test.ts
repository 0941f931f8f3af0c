import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startUnit } from '../../core/chaos/drivers/process/unit';
import { detachedStatus, freePort } from '../../core/cluster';
import { watchStack, workerProcess } from '../../core/local-stack';
import { processStart } from '../../core/local-stack/worker-process';
import { guardAgainstOrphans } from '../support/orphan-guard';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';
import { until } from '../support/until';

/** Stands for a worker: notes its start, and is healthy. */
const ENTRY = `
  const { appendFileSync } = require('node:fs');
  appendFileSync(process.env.CHRONAWFLOW_CONFIG, process.pid + '\\n');
  const port = Number(process.argv[process.argv.indexOf('--metrics-port') + 1]);
  require('node:http').createServer((request, response) => response.end()).listen(port, '127.0.0.1');`;

let directory: string;
let callOff: () => Promise<void>;
beforeAll(async () => {
  directory = await throwawayDirectory('once');
  callOff = guardAgainstOrphans(directory);
});
afterAll(async () => {
  await callOff();
  await removeDirectory(directory);
});

test('a killed worker of a watched stack is started once, by the stack or by the end of the fault that killed it', async () => {
  const [entry, starts] = [join(directory, 'entry.js'), join(directory, 'starts')];
  await writeFile(entry, ENTRY);
  const place = {
    directory,
    recordFile: join(directory, 'process.json'),
    logFile: join(directory, 'worker.log'),
  };
  const how = { name: 'worker', configFile: starts, metricsPort: await freePort(), entry } as const;
  const part = workerProcess({ ...how, place });
  const quiet = { progress: () => undefined };
  await part.start(quiet);
  const unit = { pidFile: place.recordFile, start: processStart(how) };
  const watching = new AbortController();
  const watch = watchStack({ steps: [[part]] }, () => undefined, watching.signal);
  try {
    for (let round = 1; round <= 4; round += 1) {
      const before = await detachedStatus(place.recordFile);
      if (before.kind === 'stopped') throw new Error('it does not run');
      process.kill(before.pid, 'SIGKILL');
      await until(
        async () => {
          const now = await detachedStatus(place.recordFile);
          // The stack may have looked first, and be at its start.
          return now.kind === 'stopped' || now.pid !== before.pid;
        },
        { what: 'its death' },
      );
      // As the guards, the fault's own process and the controller do; and the stack, whose next look finds it dead.
      await Promise.all([
        part.start(quiet),
        startUnit(unit),
        startUnit(unit),
        startUnit(unit),
        startUnit(unit),
      ]);
      const pids = (await readFile(starts, 'utf8')).trim().split('\n');
      expect(pids).toHaveLength(round + 1);
      expect(await detachedStatus(place.recordFile)).toMatchObject({ pid: Number(pids.at(-1)) });
    }
  } finally {
    watching.abort();
    await watch;
    await part.stop();
  }
  expect((await readFile(starts, 'utf8')).trim().split('\n')).toHaveLength(5);
}, 240_000);
