/**
 * Lets Node run the repository's TypeScript directly: `node -r ./scripts/register.cjs bench/restore.ts`.
 * For scripts/, bench/ and test helpers, which are not part of the package; @swc/core is there for the tests anyway.
 * A child process inherits it through `process.execArgv`.
 */
const { readFileSync } = require('node:fs');
const { transformSync } = require('@swc/core');

process.setSourceMapsEnabled(true);

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    swcrc: false,
    sourceMaps: 'inline',
    jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
    // `import()` stays what it is, so that packages that are ES modules only can be loaded.
    module: { type: 'commonjs', ignoreDynamic: true },
  });
  module._compile(code, filename);
};
