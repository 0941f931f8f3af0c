import { proxyActivities } from '@temporalio/workflow';

/** The peers: workflows with one activity and nothing else. */

interface BareActivities {
  nothing(input: unknown): Promise<string>;
  insert(input: unknown): Promise<string>;
  work(input: unknown): Promise<void>;
}

const bare = proxyActivities<BareActivities>({
  startToCloseTimeout: '5m',
  heartbeatTimeout: '20s',
  retry: { maximumAttempts: 1 },
});

export async function bareNothing(input: unknown): Promise<string> {
  return bare.nothing(input);
}

export async function bareInsert(input: unknown): Promise<string> {
  return bare.insert(input);
}

export async function bareWork(input: unknown): Promise<void> {
  return bare.work(input);
}

/** The same with Temporal's own fairness between tenants. */
export async function fairWork(input: { readonly tenant: string }): Promise<void> {
  const { work } = proxyActivities<BareActivities>({
    startToCloseTimeout: '5m',
    heartbeatTimeout: '20s',
    retry: { maximumAttempts: 1 },
    priority: { fairnessKey: input.tenant },
  });
  return work(input);
}
