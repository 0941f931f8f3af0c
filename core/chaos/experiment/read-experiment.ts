import { isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { ExperimentInvalidError, type ExperimentProblem } from '../errors';
import type { Activity, Experiment } from './experiment';
import { extension, experiment as schema } from './schema';

type Position = (
  path: readonly PropertyKey[],
) => { readonly line: number; readonly column: number } | undefined;

/** An experiment from JSON or YAML text. @throws ExperimentInvalidError with position and reason of everything that is wrong */
export function readExperiment(text: string, source = 'experiment'): Experiment {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true, uniqueKeys: true });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => {
      const { line, col: column } = lines.linePos(error.pos[0]);
      return { path: '', reason: error.message.split('\n')[0] ?? 'cannot be read', line, column };
    });
    throw new ExperimentInvalidError(source, problems);
  }
  return checkExperiment(toPlain(document, source), source, (path) => {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) {
        const { line, col } = lines.linePos(node.range[0]);
        return { line, column: col };
      }
    }
    return undefined;
  });
}

/** The same from an object, as the SDK takes it. */
export function checkExperiment(
  raw: unknown,
  source = 'experiment',
  position: Position = () => undefined,
): Experiment {
  const parsed = schema.safeParse(raw);
  if (!parsed.success)
    throw new ExperimentInvalidError(
      source,
      parsed.error.issues.flatMap((issue) => problemsOf(issue, position)),
    );
  const { data } = parsed;
  const known = new Map<string, Activity>();
  const declared = [...(data['steady-state-hypothesis']?.probes ?? []), ...data.method, ...data.rollbacks];
  for (const one of declared) if (isActivity(one)) known.set(String(one.name), one);
  const problems: ExperimentProblem[] = [];
  const resolved = (list: readonly unknown[], path: readonly PropertyKey[]) =>
    list.flatMap((one, at) => {
      const found = isActivity(one) ? one : known.get(refOf(one));
      if (found === undefined) {
        const reason = `there is no activity '${refOf(one)}' to refer to`;
        problems.push({ path: [...path, at, 'ref'].join('.'), reason, ...position([...path, at, 'ref']) });
        return [];
      }
      return [found];
    });
  const hypothesis = data['steady-state-hypothesis'];
  const chaos = extension.parse(
    data.extensions.find((one) => nameOf(one) === 'chronawflow') ?? { name: 'chronawflow' },
  );
  const result: Experiment = {
    title: data.title,
    description: data.description,
    tags: data.tags,
    configuration: data.configuration,
    secrets: secretKeys(data.secrets),
    hypothesis: hypothesis && {
      title: hypothesis.title,
      probes: resolved(hypothesis.probes, ['steady-state-hypothesis', 'probes']),
    },
    method: resolved(data.method, ['method']),
    rollbacks: resolved(data.rollbacks, ['rollbacks']),
    during: resolved(chaos.during, ['extensions', 'during']),
    chaos,
    document: isObject(raw) ? raw : {},
  };
  const steps = new Set(result.method.map(({ name }) => name));
  const at = data.extensions.findIndex((one) => nameOf(one) === 'chronawflow');
  for (const [n, { after }] of result.chaos.faults.entries()) {
    if (after === undefined || steps.has(after)) continue;
    const path = ['extensions', at, 'faults', n, 'after'];
    problems.push({ path: path.join('.'), reason: `the method has no step '${after}'`, ...position(path) });
  }
  if (problems.length > 0) throw new ExperimentInvalidError(source, problems);
  return result;
}

/** Of a union that nothing fits, the branch that came furthest says what is wrong. */
function problemsOf(
  issue: z.core.$ZodIssue,
  position: Position,
  before: readonly PropertyKey[] = [],
): ExperimentProblem[] {
  const path = [...before, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const furthest = issue.errors.reduce((best, one) => (depth(one) > depth(best) ? one : best));
    if (depth(furthest) > 0) return furthest.flatMap((inner) => problemsOf(inner, position, path));
  }
  return [{ path: path.map(String).join('.'), reason: issue.message, ...position(path) }];
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  const own = issues.filter(({ path }) => path[0] !== 'ref').map(({ path }) => path.length);
  return Math.max(0, ...own);
}

function secretKeys(groups: Readonly<Record<string, Readonly<Record<string, { readonly key: string }>>>>) {
  return Object.fromEntries(
    Object.entries(groups).map(([group, values]) => [
      group,
      Object.fromEntries(Object.entries(values).map(([name, { key }]) => [name, key])),
    ]),
  );
}

function toPlain(document: ReturnType<typeof parseDocument>, source: string): unknown {
  try {
    // An alias that repeats itself without end is refused by the reader.
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new ExperimentInvalidError(source, [{ path: '', reason: String(cause) }]);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isActivity(value: unknown): value is Activity {
  return isObject(value) && !('ref' in value) && 'provider' in value;
}

function refOf(value: unknown): string {
  return isObject(value) ? String(value.ref) : '';
}

function nameOf(value: unknown): unknown {
  return isObject(value) ? value.name : undefined;
}
