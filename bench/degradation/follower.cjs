/**
 * One process that follows levels and prints when each version is in force; the program of `propagation.ts`. From the build, as a
 * service has it: twenty processes that compile the sources first would be what is measured.
 */
const { parseConfig } = require('../../dist/config');
const { Degradation } = require('../../dist/core/degradation');

const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

async function main() {
  const config = parseConfig(process.argv[2], { file: '/chronawflow.yaml', env: {} });
  await Degradation.start(config, { onChange: ({ version }) => say({ version, at: Date.now() }) });
  say({ ready: true });
}

void main();
