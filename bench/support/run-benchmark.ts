import { parseArgs } from 'node:util';
import { ChronawflowError, InvalidInputError, messageOf } from '../../core/errors';
import { CleanUp } from '../../test/support/clean-up';
import { BenchmarkStoppedError } from './benchmark-stopped-error';
import { type Figures, type Goals, judge } from './goals.pure';
import { Progress } from './progress';
import { rounded } from './statistics.pure';

/** What a benchmark is given. */
export interface Bench {
  /** Less work, the same figures. */
  readonly quick: boolean;
  /** The one part that was asked for, of those that the benchmark has. */
  readonly only?: string;
  readonly progress: Progress;
  /** Aborted by Ctrl-C and SIGTERM; programs that are started take it, so that they end at once. */
  readonly signal: AbortSignal;
  /** What has to be stopped and removed, however the benchmark ends. Register it before it is awaited. */
  readonly cleanUp: CleanUp;
}

export interface Measured {
  /** For people. */
  readonly text: string;
  /** As measured; they are judged first and rounded for printing. */
  readonly figures: Figures;
}

/** Sections that measure their own figures, one after the other, because they share the machine. */
export async function inSections(
  bench: Bench,
  sections: readonly ((bench: Bench) => Promise<Measured>)[],
): Promise<Measured> {
  const texts: string[] = [];
  let figures: Figures = {};
  for (const section of sections) {
    const measured = await section(bench);
    texts.push(measured.text);
    figures = { ...figures, ...measured.figures };
  }
  return { text: texts.join('\n\n'), figures };
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * The frame of every benchmark: arguments, signals, clean-up, and the output's order, whose last line is the result as
 * JSON. Missing a goal is a result, not a failure: only a benchmark that could not measure ends with another code than 0.
 */
export async function runBenchmark(
  name: string,
  goals: Goals,
  measure: (bench: Bench) => Promise<Measured>,
  /** What `--only` takes; by default it is no option. */
  parts: readonly string[] = [],
): Promise<void> {
  const cleanUp = new CleanUp();
  const abort = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    abort.signal.addEventListener('abort', () => reject(abort.signal.reason), { once: true });
  });
  for (const [signal, code] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      process.exitCode = code;
      // Only the clean-up counts from here on: timers of what was under way, such as retries of a closed client, throw outside of
      // every promise, and would end this process before its servers.
      process.on('uncaughtException', () => undefined);
      abort.abort(new BenchmarkStoppedError(signal));
    });
  }
  try {
    const { quick, json, only } = parseOptions(name, parts);
    const progress = new Progress();
    const bench: Bench = { quick, only, progress, signal: abort.signal, cleanUp };
    // Whatever is under way when a signal comes fails by itself once its servers are gone: the race has its answer.
    const measured = await Promise.race([measure(bench), aborted]);
    if (!json) process.stdout.write(`${measured.text}\n\n`);
    const result = judge(name, measured.figures, only === undefined ? goals : of(measured.figures, goals));
    const figures = Object.fromEntries(
      Object.entries(result.figures).map(([figure, value]) => [figure, rounded(value)]),
    );
    process.stdout.write(`${JSON.stringify({ ...result, figures })}\n`);
  } catch (error) {
    complain(error);
  }
  await cleanUp.run().catch(complain);
  process.exit();
}

/** The goals of what was measured: of a part the others' are not missed. */
function of(figures: Figures, goals: Goals): Goals {
  return Object.fromEntries(Object.entries(goals).filter(([figure]) => figure in figures));
}

interface Options {
  readonly quick: boolean;
  readonly json: boolean;
  readonly only?: string;
}

/** @throws InvalidInputError */
function parseOptions(name: string, parts: readonly string[]): Options {
  const hint = `npm run bench -- ${name} [--quick] [--json]${parts.length > 0 ? ` [--only ${parts.join('|')}]` : ''}`;
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        only: { type: 'string' },
      },
    });
    const { only } = values;
    if (only === undefined) return { quick: values.quick, json: values.json };
    if (!parts.includes(only)) throw new RangeError(`This benchmark has no part "${only}".`);
    return { quick: values.quick, json: values.json, only };
  } catch (cause) {
    throw new InvalidInputError(messageOf(cause), { cause, hint });
  }
}

function complain(error: unknown): void {
  process.exitCode ||= error instanceof InvalidInputError ? 2 : 1;
  const code = error instanceof ChronawflowError ? `${error.code}: ` : '';
  process.stderr.write(`\n${code}${messageOf(error)}\n`);
  if (error instanceof ChronawflowError && error.hint !== undefined) process.stderr.write(`${error.hint}\n`);
  else if (error instanceof Error && !(error instanceof ChronawflowError))
    process.stderr.write(`${error.stack}\n`);
}
