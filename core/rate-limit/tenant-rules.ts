import { parseRule, type Rule, type RuleInput } from './rule';

/** Rules of one tenant, or of all tenants without rules of their own. */
export interface RulesInput {
  /** For resources that are not named. */
  readonly rule?: RuleInput;
  readonly resources?: Readonly<Record<string, RuleInput>>;
}

export interface Rules {
  readonly rule: Rule | undefined;
  readonly resources: ReadonlyMap<string, Rule>;
}

export function parseRules(input: RulesInput, name: string): Rules {
  return {
    rule: input.rule === undefined ? undefined : parseRule(input.rule, `${name}.rule`),
    resources: new Map(
      Object.entries(input.resources ?? {}).map(([resource, rule]) => [
        resource,
        parseRule(rule, `${name}.resources.${resource}`),
      ]),
    ),
  };
}

/** The tenant's own rule for the resource, else its own for all, else everybody's for the resource, else everybody's. */
export function ruleFor(
  resource: string,
  own: Rules | undefined,
  defaults: Rules & { readonly rule: Rule },
): Rule {
  return own?.resources.get(resource) ?? own?.rule ?? defaults.resources.get(resource) ?? defaults.rule;
}
