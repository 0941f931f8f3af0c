import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  isCancellation,
  ParentClosePolicy,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { DegradationActivities } from '../activities/types';
import { decideFrom } from '../core/degradation/decide.pure';
import type { LevelAct } from '../core/degradation/level-act.pure';
import { override, release } from '../core/degradation/override.pure';
import { rankOf } from '../core/degradation/policy.pure';
import { endReadOnly, setReadOnly } from '../core/degradation/read-only.pure';
import type { Decision, LevelState, Policy, Readings, Transition } from '../core/degradation/types';
import { underPolicy } from '../core/degradation/under-policy.pure';
import {
  type ControllerInput,
  type ControllerStatus,
  type EndByHand,
  type LevelAnswer,
  degradationMessageNames as messages,
  type SetLevel,
  type SetReadOnly,
  transitionWorkflowId,
} from './degradation-contract';
import type { degradationTransition } from './degradation-transition';
import { checked, checkedFor } from './level-messages';
import { publishByHand } from './publish-by-hand';
import { Turns } from './turns';

const setLevelUpdate = defineUpdate<LevelAnswer, [SetLevel]>(messages.setLevel);
const releaseUpdate = defineUpdate<LevelAnswer, [EndByHand]>(messages.releaseLevel);
const setReadOnlyUpdate = defineUpdate<LevelAnswer, [SetReadOnly]>(messages.setReadOnly);
const endReadOnlyUpdate = defineUpdate<LevelAnswer, [EndByHand]>(messages.endReadOnly);
const statusQuery = defineQuery<ControllerStatus>(messages.status);

/** Until the policy is known. */
const FIRST_PAUSE_MS = 1_000;

/** A look fails rather than wait: the next one comes with the next interval, and silence only holds the level. */
const { observeScope } = proxyLocalActivities<DegradationActivities>({
  startToCloseTimeout: '5s',
  retry: { maximumAttempts: 1 },
});

/**
 * Watches over the level of one scope: looks, decides, and begins a workflow for every change. It never waits for a change to
 * take effect: a fault that gets worse meanwhile is answered at once.
 */
export async function degradationController(input: ControllerInput): Promise<void> {
  const controller = new Controller(input);
  controller.listen();
  for (;;) {
    await controller.look();
    await controller.begin();
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await controller.begin();
      await continueAsNew<typeof degradationController>({ scope: input.scope, state: controller.state });
    }
    await controller.pause();
  }
}

class Controller {
  state: LevelState | undefined;
  private readonly scope: string;
  private policy: Policy | undefined;
  private policyHash: string | undefined;
  private readings: Readings = {};
  private sees = false;
  private due: Transition | undefined;
  /** Began the workflow of this version. */
  private begun = 0;
  /** Operators sign, as the last look says. */
  private signed = false;
  private readonly turns = new Turns();

  constructor(input: ControllerInput) {
    this.scope = input.scope;
    this.state = input.state;
  }

  /** Takes what people say, from the first moment on. */
  listen(): void {
    setHandler(
      setLevelUpdate,
      ({ level, forMs, ...said }) =>
        this.byHand(said, { kind: 'set', level, forMs, reason: said.reason }, (state, policy, now) => {
          const rank = rankOf(policy, level);
          if (rank === undefined) throw unknownLevel(policy, level);
          return override(state, { rank, by: said.by, reason: said.reason, until: now + forMs });
        }),
      { validator: checkedFor, description: 'Set the level by hand, for a time.' },
    );
    setHandler(
      releaseUpdate,
      (said) =>
        this.byHand(said, { kind: 'release', reason: said.reason }, (state) =>
          state.override === undefined ? { state } : release(state, said.by, said.reason),
        ),
      { validator: checked, description: 'Give a level that was set by hand back to the controller.' },
    );
    setHandler(
      setReadOnlyUpdate,
      ({ forMs, ...said }) =>
        this.byHand(said, { kind: 'read-only', forMs, reason: said.reason }, (state, _, now) =>
          setReadOnly(state, { by: said.by, reason: said.reason, until: now + forMs }),
        ),
      { validator: checkedFor, description: 'Refuse writes, for a time.' },
    );
    setHandler(
      endReadOnlyUpdate,
      (said) =>
        this.byHand(said, { kind: 'writable', reason: said.reason }, (state) =>
          state.readOnly === undefined ? { state } : endReadOnly(state, said.by, said.reason),
        ),
      { validator: checked, description: 'Take writes again.' },
    );
    setHandler(
      statusQuery,
      (): ControllerStatus => ({ state: this.state, readings: this.readings, sees: this.sees }),
      { description: 'What the controller remembers and what it saw last.' },
    );
  }

  /** Waits while something by hand is being published. */
  look(): Promise<void> {
    return this.signed ? this.turns.take(() => this.lookNow()) : this.lookNow();
  }

  private async lookNow(): Promise<void> {
    try {
      const sight = await observeScope({
        scope: this.scope,
        readings: this.readings,
        state: this.state,
        policyHash: this.policyHash,
      });
      const state = sight.takenUp ?? this.state;
      this.signed = sight.signed === true;
      if (state === undefined) return;
      this.state = sight.policy === undefined ? state : underPolicy(this.policy, sight.policy, state);
      this.policy = sight.policy ?? this.policy;
      this.policyHash = sight.policyHash;
      this.readings = sight.readings;
      this.sees = true;
      if (this.policy === undefined) return;
      const decision = decideFrom(this.policy, this.state, sight.readings, sight.now);
      this.keep(decision);
      this.makeUp(sight.published);
    } catch (error) {
      if (isCancellation(error)) throw error;
      // Nothing is known, so nothing changes; the processes' own sign of it is that no sign of life comes.
      this.sees = false;
    }
  }

  /** Begins what is due. One that runs already was begun before a worker was lost. */
  async begin(): Promise<void> {
    const { due, state, policy } = this;
    if (due === undefined || state === undefined || policy === undefined) return;
    this.due = undefined;
    this.begun = due.version;
    setCurrentDetails(
      `**${nameOf(policy, due.to)}** since ${new Date().toISOString()}: ${due.reason} (${due.by})`,
    );
    try {
      await startChild<typeof degradationTransition>('degradationTransition', {
        workflowId: transitionWorkflowId(this.scope, due.version),
        args: [{ scope: this.scope, level: nameOf(policy, due.to), state, transition: due }],
        // The change goes on whatever becomes of the controller.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        staticSummary: `${this.scope}: ${nameOf(policy, due.from)} to ${nameOf(policy, due.to)}`,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  async pause(): Promise<void> {
    await condition(() => this.due !== undefined, this.policy?.intervalMs ?? FIRST_PAUSE_MS);
  }

  private async ready(): Promise<{ policy: Policy; state: LevelState; now: number }> {
    await condition(() => this.policy !== undefined && this.state?.at !== undefined);
    const { policy, state } = this;
    if (policy === undefined || state?.at === undefined)
      throw ApplicationFailure.nonRetryable(
        'The controller does not know its policy yet.',
        'CONTROLLER_NOT_READY',
      );
    return { policy, state, now: state.at };
  }

  private async byHand(
    { by, intent, approvals }: EndByHand,
    act: LevelAct,
    decide: (state: LevelState, policy: Policy, now: number) => Decision,
  ): Promise<LevelAnswer> {
    const { policy, state, now } = await this.ready();
    if (!this.signed) return this.take(decide(state, policy, now));
    return this.turns.take(async () => {
      const at = await this.ready();
      const decision = decide(at.state, at.policy, at.now);
      const { transition } = decision;
      if (transition === undefined) return this.answer(decision.state);
      const level = nameOf(at.policy, decision.state.rank);
      const change = { scope: this.scope, level, state: decision.state, transition };
      await publishByHand({ ...change, byHand: { act, intent, approvals } }, by);
      return this.take(decision);
    });
  }

  private take(decision: Decision): LevelAnswer {
    this.keep(decision);
    return this.answer(decision.state);
  }

  private answer(state: LevelState): LevelAnswer {
    return {
      level: this.policy === undefined ? '' : nameOf(this.policy, state.rank),
      version: state.version,
    };
  }

  private keep({ state, transition }: Decision): void {
    this.state = state;
    if (transition !== undefined) this.due = transition;
  }

  /** A change whose workflow did not make it true, and that nothing has followed since, is begun once more. */
  private makeUp(published: number): void {
    const { state } = this;
    if (state === undefined || this.due !== undefined || published >= state.version) return;
    if (this.begun === state.version) {
      // Its workflow has one more interval to do it.
      this.begun = 0;
      return;
    }
    this.due = {
      version: state.version,
      from: state.rank,
      to: state.rank,
      direction: state.override === undefined ? 'escalation' : 'override',
      reason: 'made up for: the change had not taken effect',
      by: 'controller',
    };
  }
}

function nameOf(policy: Policy, rank: number): string {
  return policy.levels[rank]?.name ?? `rank ${rank}`;
}

function unknownLevel(policy: Policy, level: string): ApplicationFailure {
  const known = policy.levels.map(({ name }) => name).join(', ');
  return ApplicationFailure.nonRetryable(
    `There is no level '${level}'; there are ${known}.`,
    'INVALID_INPUT',
  );
}
