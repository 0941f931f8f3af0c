#!/usr/bin/env node
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

/** The outside service that knows tax rates, as a process of its own: experiments may cut it off. */
const { values } = parseArgs({ options: { 'metrics-port': { type: 'string' } } });
createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end('{"percent": 19}');
}).listen(Number(values['metrics-port']), process.env.OFFICE_TAX_HOST ?? '127.0.0.1');
