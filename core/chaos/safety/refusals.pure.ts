/** What is true at the moment an experiment asks to start. */
export interface SafetyFacts {
  /** What runs and must not be disturbed, as `chronawflow.running_operation` has it: restores, and each kind that adds itself there. */
  readonly running: readonly { readonly kind: string; readonly count: number }[];
  /** Scopes of the platform that are not at their normal level. */
  readonly degraded: readonly string[];
  /** Resources that are under a fault now. */
  readonly disturbed: readonly string[];
  /** Conditions of the configuration that hold, such as a spent error budget. */
  readonly conditions: readonly string[];
  readonly tenants: number | undefined;
  readonly unknownTenants: readonly string[];
  readonly residual: number;
}

export interface SafetyPlan {
  readonly faults: readonly {
    readonly target: string;
    readonly resource: string;
    readonly group: string | undefined;
  }[];
  /** How many targets each group has in the allow-list. */
  readonly groupSizes: Readonly<Record<string, number>>;
  readonly tenants: readonly string[] | undefined;
  readonly maxInstances: number;
  readonly maxTenants: number;
  readonly durationMs: number;
  readonly maxDurationMs: number;
}

export interface Refusal {
  /** Stable. */
  readonly rule: string;
  readonly message: string;
}

/** Everything that stands against starting the experiment now; nothing when it may start. */
export function refusals(plan: SafetyPlan, facts: SafetyFacts): readonly Refusal[] {
  const found: Refusal[] = [];
  const refuse = (rule: string, message: string) => found.push({ rule, message });
  for (const { kind, count } of facts.running) refuse(`${kind}-running`, `${count} ${kind}(s) run`);
  if (facts.degraded.length > 0) refuse('degraded', `not at the normal level: ${facts.degraded.join(', ')}`);
  if (facts.residual > 0)
    refuse('residual', `${facts.residual} fault(s) of earlier experiments are still there`);
  for (const condition of facts.conditions) refuse('condition', condition);
  if (plan.durationMs > plan.maxDurationMs)
    refuse('duration', `${plan.durationMs} ms are longer than chaos.maxDuration, ${plan.maxDurationMs} ms`);

  const resources = plan.faults.map(({ resource }) => resource);
  const twice = plan.faults.find(({ resource }, at) => resources.indexOf(resource) !== at);
  if (twice !== undefined) refuse('overlap', `two faults of the experiment are on ${twice.target}`);
  const taken = plan.faults.find(({ resource }) => facts.disturbed.includes(resource));
  if (taken !== undefined) refuse('overlap', `${taken.target} is under another fault already`);

  for (const [group, size] of Object.entries(plan.groupSizes)) {
    const count = plan.faults.filter((fault) => fault.group === group).length;
    if (count / size > plan.maxInstances)
      refuse(
        'share',
        `${count} of ${size} targets of group ${group} are more than ${percent(plan.maxInstances)}`,
      );
  }
  if (facts.unknownTenants.length > 0)
    refuse('tenant', `unknown tenants: ${facts.unknownTenants.join(', ')}`);
  if (plan.tenants !== undefined && facts.tenants !== undefined) {
    const share = plan.tenants.length / Math.max(1, facts.tenants);
    if (share > plan.maxTenants)
      refuse(
        'share',
        `${plan.tenants.length} of ${facts.tenants} tenants are more than ${percent(plan.maxTenants)}`,
      );
  }
  return found;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
