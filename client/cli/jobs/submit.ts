import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { z } from 'zod';
import { InvalidInputError } from '../../../core/errors';
import type { ItemOutcome, JobPriority, SubmitRequest } from '../../../core/jobs';
import { statusPage } from '../pages/jobs-page';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { dedupe, json, priority, withJob } from './options';

interface SubmitOptions extends CommonOptions {
  readonly input?: { readonly value: unknown };
  readonly priority?: JobPriority;
  readonly runAt?: string;
  readonly dedupe?: SubmitRequest['dedupe'];
  readonly wait?: boolean;
}

const line = z.looseObject({ tenant: z.string(), type: z.string(), key: z.string(), input: z.unknown() });

/** `chronawflow jobs submit|submit-many` */
export function registerSubmit(jobs: Command): void {
  withJob(withCommonOptions(jobs.command('submit')))
    .description('submit a job; the same key with the same input is the same job')
    .option('--input <json>', 'the input (default: null)', json)
    .option('--priority <level>', '1 (most urgent) to 5 (default: the type’s)', priority)
    .option('--run-at <time>', 'not before this time, ISO 8601')
    .option(
      '--dedupe <how>',
      'reject: an error where the job is there; 10m: also by input, within this time',
      dedupe,
    )
    .option('--wait', 'wait for the job’s end')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow jobs submit acme invoice-run 2026-11 --input \'{"month":"2026-11"}\' --wait',
    )
    .action(async (tenant: string, type: string, key: string, options: SubmitOptions) =>
      inSession(options, async ({ cf, out }) => {
        const { input, priority: level, runAt, dedupe: how, wait } = options;
        const handle = await cf.jobs.submit({
          tenant,
          type,
          key,
          input: input?.value ?? null,
          priority: level,
          runAt,
          dedupe: how,
        });
        if (wait) await handle.result();
        const status = await handle.status();
        out.result({ workflowId: handle.workflowId, ...status }, () => statusPage(status));
      }),
    );

  withCommonOptions(jobs.command('submit-many'))
    .description('submit a job for each line of a file of JSON objects with tenant, type, key and input')
    .argument('<file>', 'the file; - for standard input')
    .addHelpText('after', '\nExample:\n  $ chronawflow jobs submit-many november.jsonl')
    .action(async (file: string, options: CommonOptions) =>
      inSession(options, async ({ cf, out }) => {
        const counts = { submitted: 0, known: 0, refused: 0 };
        const refused: object[] = [];
        for await (const item of cf.jobs.submitMany(requestsOf(file))) {
          counts[item.outcome] += 1;
          if (item.outcome === 'refused') refused.push(refusal(item));
          if (item.outcome === 'refused' && refused.length <= 20)
            out.note(`${item.tenant} ${item.type} ${item.key}: ${item.error.code}: ${item.error.message}`);
        }
        out.result({ ...counts, refusals: refused.slice(0, 1_000) }, () => [
          `submitted ${counts.submitted}, known ${counts.known}, refused ${counts.refused}`,
        ]);
        if (counts.refused > 0) process.exitCode = 1;
      }),
    );
}

function refusal(item: Extract<ItemOutcome, { outcome: 'refused' }>): object {
  return { tenant: item.tenant, type: item.type, key: item.key, error: item.error.toJSON() };
}

async function* requestsOf(file: string): AsyncGenerator<SubmitRequest> {
  const stream = file === '-' ? process.stdin : createReadStream(file);
  let number = 0;
  for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (text.trim() !== '') yield requestOf(text, number);
  }
}

function requestOf(text: string, number: number): SubmitRequest {
  try {
    return line.parse(JSON.parse(text));
  } catch (cause) {
    throw new InvalidInputError(`Line ${number} is no job.`, {
      cause,
      hint: 'Each line is one JSON object: {"tenant":"acme","type":"invoice-run","key":"2026-11","input":{}}. The lines before it were submitted.',
    });
  }
}
