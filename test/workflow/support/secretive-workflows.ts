import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  proxyActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';

/** Workflows that hand payloads over in every way that the SDK has. */

export interface SecretiveActivities {
  echo(text: string): Promise<string>;
  fail(text: string): Promise<void>;
}

const { echo, fail } = proxyActivities<SecretiveActivities>({
  startToCloseTimeout: '30s',
  retry: { maximumAttempts: 1 },
});

export const say = defineSignal<[string]>('say');
export const ask = defineUpdate<string, [string]>('ask');
export const said = defineQuery<string[]>('said');

/** Input, activity, child, continue-as-new, result. */
export async function parent(secret: string, rounds: number): Promise<string> {
  setCurrentDetails(`details ${secret}`);
  const echoed = await echo(`echo ${secret}`);
  const fromChild = await executeChild(child, {
    workflowId: `job/t1/child/${secret.length}-${rounds}`,
    args: [`child ${secret}`],
    memo: { note: `memo ${secret}` },
    staticSummary: `summary ${secret}`,
  });
  if (rounds > 0) return continueAsNew<typeof parent>(secret, rounds - 1);
  return `${echoed}, ${fromChild}`;
}

export async function child(text: string): Promise<string> {
  return echo(text);
}

export async function failing(secret: string): Promise<void> {
  try {
    await fail(secret);
  } catch (cause) {
    throw ApplicationFailure.create({
      message: `failed with ${secret}`,
      details: [secret],
      cause: cause instanceof Error ? cause : undefined,
    });
  }
}

/** Listens until it is told `end`. */
export async function listener(secret: string): Promise<string[]> {
  const heard = [secret];
  setHandler(say, (text) => {
    heard.push(text);
  });
  setHandler(ask, (text) => {
    heard.push(text);
    return `heard ${text}`;
  });
  setHandler(said, () => heard);
  await condition(() => heard.at(-1) === 'end');
  return heard;
}
