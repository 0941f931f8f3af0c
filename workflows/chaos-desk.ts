import { type ActivityInterfaceFor, proxyActivities } from '@temporalio/workflow';
import type { ChaosActivities, ChaosStepInput, SignedChaosDecision } from '../core/chaos/types';
import type { SignedIntent } from '../core/operators/intent/types';
import type { ChaosDecision } from './chaos-contract';

type Steps = ActivityInterfaceFor<ChaosActivities>;

/** Whoever decides waits for the answer. */
function answering(taskQueue: string): Steps {
  return proxyActivities<ChaosActivities>({
    summary: 'Verify the signature of the decision',
    taskQueue,
    startToCloseTimeout: '15s',
    scheduleToCloseTimeout: '30s',
    retry: { initialInterval: '250ms', maximumAttempts: 3 },
  });
}

/** Takes decisions that operators have signed. They count once they are verified, and are verified again by what they allow. */
export class ChaosDesk {
  /** In the order in which they were given. */
  readonly approvals: SignedIntent[];
  private readonly people = new Set<string>();
  private confirmed: SignedIntent | undefined;

  constructor(
    private readonly taskQueue: string,
    private readonly step: ChaosStepInput,
    private readonly needed: number,
  ) {
    this.approvals = [...(step.run.approvals ?? [])];
  }

  get request(): SignedIntent | undefined {
    return this.step.run.intent;
  }

  /** What let the step begin that was confirmed last. */
  get confirmation(): SignedIntent | undefined {
    return this.confirmed;
  }

  /** @returns everybody who has approved, once they are enough */
  async approve(decision: ChaosDecision): Promise<string | undefined> {
    await this.verify('approve', decision);
    const { as, intent } = decision;
    if (intent !== undefined && !this.people.has(as)) this.approvals.push(intent);
    this.people.add(as);
    return this.approvals.length >= this.needed ? [...this.people].join(', ') : undefined;
  }

  async confirm(decision: ChaosDecision, step: string | undefined): Promise<void> {
    await this.verify('confirm', { ...decision, step });
    this.confirmed = decision.intent;
  }

  private verify(kind: SignedChaosDecision['kind'], { as, step, intent }: ChaosDecision): Promise<void> {
    return answering(this.taskQueue).verifyChaosDecision({
      ...this.step,
      decision: { kind, as, step, intent },
    });
  }
}
