import { randomUUID } from 'node:crypto';
import {
  type AuthorizeFault,
  checkExperiment,
  runParameters,
  scheduleOwner,
  scheduleParameters,
  tenantOfExperiment,
} from '../core/chaos';
import type { ChaosRunInput, ChaosScheduleTerms } from '../core/chaos/types';
import {
  consentTo,
  IntentRefusedError,
  parseIntent,
  type SignedIntent,
  sha256OfIntent,
} from '../core/operators';
import type { ChaosDecision, ChaosStatus } from '../workflows/chaos-contract';
import { FourEyes, type SignedRequest } from './four-eyes';
import { currentOperator } from './operator';
import type { OperatorSigning, Wanted } from './operator-signing';

/** Signs what somebody asks of chaos, where operators sign. */
export class ChaosSigning {
  constructor(private readonly signing: OperatorSigning) {}

  get on(): boolean {
    return this.signing.on;
  }

  async run(workflowId: string, input: ChaosRunInput, as: string | undefined): Promise<ChaosRunInput> {
    const parameters = runParameters(workflowId, input);
    const { by, intent } = await this.signing.sign(toRun(input.experiment, parameters), as);
    return { ...input, requestedBy: by, intent };
  }

  /** Consent to what the run's requester has signed. */
  async approval(request: SignedIntent | undefined, as: string | undefined): Promise<ChaosDecision> {
    if (!this.on) return { as: as ?? currentOperator() };
    const asked = request && parseIntent(request.intent);
    if (request === undefined || asked?.action !== 'chaos.run') throw nothingToApprove();
    return this.decision(consentTo(request, asked.tenant), as);
  }

  async confirmation(
    workflowId: string,
    status: ChaosStatus | undefined,
    as: string | undefined,
    named: string | undefined,
  ): Promise<ChaosDecision> {
    const step = named ?? status?.awaits;
    if (!this.on) return { as: as ?? currentOperator(), step: named };
    const tenant = status?.request && parseIntent(status.request.intent)?.tenant;
    const wanted: Wanted = {
      action: 'chaos.confirm',
      ...(tenant === undefined ? {} : { tenant }),
      parameters: { workflowId, step: step ?? '' },
    };
    return { ...(await this.decision(wanted, as)), step };
  }

  /**
   * Puts on record who aborts a run. Ending faults is also possible for who may not: on the host, by `chaos abort --all`.
   *
   * @throws IntentRefusedError
   */
  async abort(workflowId: string): Promise<void> {
    const verifier = await this.signing.verifier();
    if (verifier === undefined) return;
    const wanted = { action: 'chaos.abort', parameters: { workflowId } } as const;
    const { intent: signed } = await this.signing.sign(wanted, undefined);
    const owner = `chaos-abort/${workflowId}/${randomUUID()}`;
    await verifier.verifyAlone({ signed, expected: wanted, owner });
  }

  /** For faults of other hosts, in the control plane. */
  async abortElsewhere(): Promise<{ readonly by: string; readonly authorize?: AuthorizeFault }> {
    const verifier = await this.signing.verifier();
    if (verifier === undefined) return { by: currentOperator() };
    const wanted = { action: 'chaos.abort', parameters: { all: true } } as const;
    const { by, intent: signed } = await this.signing.sign(wanted, undefined);
    const owner = `chaos-abort/all/${randomUUID()}`;
    return {
      by,
      authorize: async (tx) => {
        await verifier.verify(tx, { signed, expected: wanted, owner });
      },
    };
  }

  /** Signs a schedule, to be shown to others before it is set. */
  requestSchedule(
    schedule: ChaosScheduleTerms,
    experiment: ChaosRunInput['experiment'],
  ): Promise<SignedRequest> {
    return new FourEyes(this.signing).request(toRun(experiment, scheduleParameters(schedule, experiment)));
  }

  /** What every run of a schedule shows. It is used up by the schedule now, because most of its runs come after it expires. */
  async schedule(
    input: ChaosRunInput,
    schedule: ChaosScheduleTerms,
    given: SignedRequest | undefined,
  ): Promise<ChaosRunInput> {
    const verifier = await this.signing.verifier();
    if (verifier === undefined) return input;
    const { intent: signed, approvals = [] } =
      given ?? (await this.requestSchedule(schedule, input.experiment));
    const wanted = toRun(input.experiment, scheduleParameters(schedule, input.experiment));
    const consent = {
      signed: approvals,
      expected: consentTo(signed, wanted.tenant),
      needed: approvals.length,
    };
    const owner = scheduleOwner(schedule.name, sha256OfIntent(signed));
    const { request } = await verifier.verifyAlone({ signed, expected: wanted, owner, approvals: consent });
    return { ...input, requestedBy: request.operator.name, schedule, intent: signed, approvals };
  }

  private async decision(wanted: Wanted, as: string | undefined): Promise<ChaosDecision> {
    const { by, intent } = await this.signing.sign(wanted, as);
    return { as: by, intent };
  }
}

function toRun(experiment: ChaosRunInput['experiment'], parameters: Wanted['parameters']): Wanted {
  const tenant = tenantOfExperiment(checkExperiment(experiment));
  return { action: 'chaos.run', ...(tenant === undefined ? {} : { tenant }), parameters };
}

function nothingToApprove(): IntentRefusedError {
  return new IntentRefusedError({
    code: 'INTENT_MISSING',
    message: 'Nobody has signed a request for this run.',
    hint: 'Start it with the command line or the SDK and a key.',
  });
}
