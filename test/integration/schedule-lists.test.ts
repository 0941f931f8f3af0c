import { ChaosSchedules } from '../../client/chaos-schedules';
import { ChaosSigning } from '../../client/chaos-signing';
import { OperatorSigning } from '../../client/operator-signing';
import { RecoverySchedules } from '../../client/recovery-schedules';
import { TemporalLink } from '../../client/temporal-link';
import { type Config, parseConfig } from '../../config';
import { createPool } from '../../database';
import { CleanUp } from '../support/clean-up';
import { startTemporal } from '../support/temporal-server';
import { until } from '../support/until';

const cleanUp = new CleanUp();
let config: Config;
let link: TemporalLink;

beforeAll(async () => {
  const temporal = await startTemporal();
  cleanUp.add(() => temporal.stop());
  const database = { host: 'h', database: 'd', user: 'u' };
  const raw = {
    temporal: { address: temporal.address },
    platform: { database },
    application: { database, backup: { stanza: 's', configFile: 'c' } },
    tenancy: { table: 't' },
  };
  config = parseConfig(JSON.stringify(raw), { file: '/none/chronawflow.yaml', env: {} });
  link = await TemporalLink.open(config.temporal);
  cleanUp.add(() => link.close());
}, 240_000);
afterAll(() => cleanUp.run(), 120_000);
afterEach(() => jest.restoreAllMocks());

/** Nothing is signed here, so nobody connects. */
function experiments(): ChaosSchedules {
  const platform = createPool(config.platform.database, { applicationName: 'test', max: 1 });
  return new ChaosSchedules(link, new ChaosSigning(new OperatorSigning(config, platform, undefined)));
}

test.each([
  ['recovery points', 'recovery-point-schedule/nightly', () => new RecoverySchedules(link)],
  ['experiments', 'chaos-schedule/nightly', experiments],
])('a schedule of %s that is removed while it is listed is left out', async (_, scheduleId, open) => {
  const schedules: { list(): Promise<readonly { readonly name: string }[]> } = open();
  const { schedule } = link.client;
  const handle = await schedule.create({
    scheduleId,
    spec: { cronExpressions: ['0 2 29 2 *'] },
    action: { type: 'startWorkflow', workflowType: 'nothing', taskQueue: 'nobody' },
  });
  await until(async () => (await schedules.list()).length === 1, { what: 'the schedule to be listed' });
  const list = schedule.list.bind(schedule);
  jest.spyOn(schedule, 'list').mockImplementation(async function* () {
    for await (const found of list()) {
      if (found.scheduleId === scheduleId) await handle.delete();
      yield found;
    }
  });
  expect(await schedules.list()).toEqual([]);
});
