import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FaultDrivers, hostDrivers, readExperiment } from '../../../core/chaos';
import { withinTolerance } from '../../../core/chaos/experiment/tolerance.pure';

const directory = join(__dirname, '..', '..', '..', 'examples', 'experiments');
const files = readdirSync(directory).filter((file) => file.endsWith('.yaml'));
const database = { host: '127.0.0.1', port: 1, database: 'x', user: 'x', ssl: false };
const drivers: FaultDrivers = hostDrivers(
  { control: {}, platform: { database } },
  {
    makeReady: async () => undefined,
    start: async () => undefined,
    end: async () => undefined,
    running: async () => 0,
  },
);
const read = (file: string) => readExperiment(readFileSync(join(directory, file), 'utf8'), file);

test('the catalogue has at least 20 experiments and every family of faults', () => {
  expect(files.length).toBeGreaterThanOrEqual(20);
  const used = new Set(
    files.flatMap((file) => read(file).chaos.faults.map(({ driver }) => driver.split('.')[0])),
  );
  const there = new Set(drivers.names.map((name) => name.split('.')[0]));
  expect([...there].filter((family) => !used.has(family))).toEqual([]);
});

test.each(files)('%s is valid, has a steady state and faults that exist', (file) => {
  const { hypothesis, chaos } = read(file);
  expect(hypothesis?.probes.length).toBeGreaterThan(0);
  expect(chaos.faults.length).toBeGreaterThan(0);
  for (const { driver, parameters } of chaos.faults)
    expect(drivers.get(driver).parse(parameters)).toBeDefined();
});

test.each(files)('%s says what has to be seen during its faults, or what comes back after them', (file) => {
  const { during, hypothesis, chaos } = read(file);
  expect(during.length + (hypothesis?.probes.length ?? 0)).toBeGreaterThan(1);
  for (const { after } of chaos.faults)
    if (after !== undefined) expect(read(file).method.map(({ name }) => name)).toContain(after);
});

test('the look at the metrics page sees a missed objective, and that it is met again', () => {
  const judge = (name: RegExp, body: string) => {
    const { during, hypothesis } = read('archiving-broken.yaml');
    const probe = [...during, ...(hypothesis?.probes ?? [])].find((one) => name.test(one.name));
    const tolerance = JSON.parse(JSON.stringify(probe?.tolerance));
    return withinTolerance(tolerance, { status: 200, body });
  };
  const page = (missed: number) =>
    `a 1\nchronawflow_recovery_objective_missed{objective="rpo",tier="gold"} ${missed}\nb 2\n`;
  expect(judge(/missed objective/, page(1))).toBe(true);
  expect(judge(/missed objective/, page(0))).toBe(false);
  expect(judge(/no objective/, page(0))).toBe(true);
  expect(judge(/no objective/, page(1))).toBe(false);
});
