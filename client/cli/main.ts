#!/usr/bin/env node
import { createProgram } from './program';
import { reportError } from './report-error';

/** Read before parsing, because an error in the call itself has to honour them as well. */
const asked = (option: string) => process.argv.includes(option);

async function main(): Promise<void> {
  try {
    await createProgram(process.argv[2]).parseAsync();
  } catch (error) {
    process.exitCode = reportError(error, { json: asked('--json'), debug: asked('--debug') });
  }
}

void main();
