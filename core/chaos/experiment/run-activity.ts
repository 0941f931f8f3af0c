import { messageOf } from '../../errors';
import type { AllowList } from '../targets';
import type { Activity, Provider, Tolerance } from './experiment';
import { maskSecrets } from './mask.pure';
import { callHttp } from './provider/http-provider';
import { callProcess } from './provider/process-provider';
import { substitute, type Values } from './substitute.pure';
import { withinTolerance } from './tolerance.pure';
import type { ActivityRun } from './types';
import type { ExperimentValues } from './values';

export interface RunContext extends ExperimentValues {
  readonly targets: AllowList;
  readonly signal: AbortSignal;
}

/** A whole page in every probe's entry would make the journal unreadable, and a history too large. */
const MOST_OUTPUT = 4_096;

/** Runs a probe or an action to its entry in the journal. What fails is an entry too; nothing is thrown but an interruption. */
export async function runActivity(activity: Activity, context: RunContext): Promise<ActivityRun> {
  const start = new Date();
  const entry = (
    rest: Pick<ActivityRun, 'status' | 'output' | 'exception' | 'tolerance_met'>,
  ): ActivityRun => ({
    activity: shown(activity, context.secrets),
    start: start.toISOString(),
    end: new Date().toISOString(),
    duration: (Date.now() - start.getTime()) / 1_000,
    ...rest,
    output: bounded(maskSecrets(rest.output, context.secrets)),
  });
  try {
    const output = await callProvider(activity.provider, context.values, context);
    const met =
      activity.type === 'probe' && activity.tolerance !== undefined
        ? await meets(activity.tolerance, output, context)
        : undefined;
    return entry({ status: 'succeeded', output, ...(met === undefined ? {} : { tolerance_met: met }) });
  } catch (error) {
    if (context.signal.aborted) throw error;
    const exception = [String(maskSecrets(messageOf(error), context.secrets))];
    return entry({
      status: 'failed',
      output: null,
      exception,
      ...(activity.type === 'probe' ? { tolerance_met: false } : {}),
    });
  }
}

/** @throws what the provider throws */
export async function callProvider(
  provider: Provider,
  values: Values,
  { targets, signal }: Pick<RunContext, 'targets' | 'signal'>,
): Promise<unknown> {
  return provider.type === 'http'
    ? callHttp(substituted(provider, values), targets, signal)
    : callProcess(substituted(provider, values), targets, signal);
}

/** Only strings change, and each becomes what its place takes: the providers read every value by their own conversion. */
function substituted<P extends Provider>(provider: P, values: Values): P {
  const entries = Object.entries(provider).map(([key, value]) => [key, substitute(value, values)] as const);
  return Object.assign({ ...provider }, Object.fromEntries(entries));
}

async function meets(tolerance: Tolerance, output: unknown, context: RunContext): Promise<boolean> {
  if (
    typeof tolerance === 'object' &&
    tolerance !== null &&
    !Array.isArray(tolerance) &&
    tolerance.type === 'probe'
  )
    return meetsProbe(tolerance, output, context);
  return withinTolerance(patternsSubstituted(tolerance, context.values), output);
}

/** The probe gets what is to be judged as its argument `value`, and says yes by a status of 2xx or an exit code of 0. */
async function meetsProbe(
  tolerance: Extract<Tolerance, { readonly type: 'probe' }>,
  output: unknown,
  context: RunContext,
): Promise<boolean> {
  const { provider } = tolerance;
  if (provider.type === 'python') return false;
  const given = provider.arguments;
  const value = typeof output === 'object' ? JSON.stringify(output) : String(output);
  const asked = Array.isArray(given)
    ? [...given, value]
    : { ...(typeof given === 'object' ? given : {}), value };
  const answer = await callProvider(
    Object.assign({ ...provider }, { arguments: asked }),
    context.values,
    context,
  );
  const status = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'status') : undefined;
  return provider.type === 'http'
    ? typeof status === 'number' && status >= 200 && status < 300
    : status === 0;
}

function patternsSubstituted<T extends Exclude<Tolerance, { readonly type: 'probe' }>>(
  tolerance: T,
  values: Values,
): T {
  if (typeof tolerance !== 'object' || tolerance === null || Array.isArray(tolerance)) return tolerance;
  const entries = Object.entries(tolerance).map(([key, value]) => [
    key,
    key === 'pattern' || key === 'path' ? String(substitute(value, values)) : value,
  ]);
  return Object.assign({ ...tolerance }, Object.fromEntries(entries));
}

/** As it was written, with its references: values that were put in are not shown. */
function shown(activity: Activity, secrets: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(activity).map(([key, value]) => [key, maskSecrets(value, secrets)]),
  );
}

function bounded(output: unknown): unknown {
  const text = JSON.stringify(output) ?? 'null';
  if (text.length <= MOST_OUTPUT) return output;
  if (typeof output !== 'object' || output === null) return `${text.slice(0, MOST_OUTPUT)}…`;
  return Object.fromEntries(
    Object.entries(output).map(([key, value]) => {
      const part = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
      return [key, part.length > MOST_OUTPUT / 4 ? `${part.slice(0, MOST_OUTPUT / 4)}…` : value];
    }),
  );
}
