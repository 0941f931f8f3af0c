import type { ContainmentPart, ContainmentTarget } from './types';

/** A breaker without the tenant. */
export interface Call {
  readonly service: string;
  readonly operation: string;
}

/**
 * The parts of a strategy, in the order in which they are applied: what stops most harm soonest comes first. They are undone in
 * the opposite order.
 *
 * @param calls for an isolated tenant: what it calls.
 */
export function planParts(target: ContainmentTarget, calls: readonly Call[]): ContainmentPart[] {
  switch (target.strategy) {
    case 'isolate-tenant': {
      const { tenant } = target;
      return [
        { kind: 'hold', tenant },
        { kind: 'floor', tenant },
        ...calls.map((call): ContainmentPart => ({ kind: 'breaker', ...call, tenant })),
        // Last: it waits for the tenant's open writers.
        { kind: 'gate', tenant },
      ];
    }
    case 'read-only':
      return [
        { kind: 'hold', tenant: target.tenant },
        { kind: 'gate', tenant: target.tenant },
      ];
    case 'open-breaker': {
      const { service, operation, tenant } = target;
      return [{ kind: 'breaker', service, operation, tenant }];
    }
    case 'drain-endpoint': {
      const { service, endpoint, redirect } = target;
      return [{ kind: 'drain', service, endpoint, redirect }];
    }
    case 'hold-queue':
      return [{ kind: 'hold', tenant: target.tenant, type: target.type }];
  }
}

/** What a part takes, as a text that no other resource has, readable for people. */
export function resourceOf(part: ContainmentPart): string {
  const parts = (...texts: readonly string[]) => texts.map(encodeURIComponent).join('/');
  switch (part.kind) {
    case 'gate':
      return `gate/${parts(part.tenant)}`;
    case 'floor':
      return `floor/${parts(part.tenant)}`;
    case 'hold':
      return `hold/${parts(part.tenant ?? '', part.type ?? '')}`;
    case 'drain':
      return `drain/${parts(part.service, part.endpoint)}`;
    case 'breaker':
      return `breaker/${parts(part.service, part.operation, part.tenant)}`;
  }
}

/** The tenant whose work a target stops; undefined when it is everybody's. */
export function tenantOf(target: ContainmentTarget): string | undefined {
  if (target.strategy === 'drain-endpoint') return undefined;
  return target.tenant === undefined || target.tenant === '' ? undefined : target.tenant;
}

/** One line for people. */
export function describeTarget(target: ContainmentTarget): string {
  switch (target.strategy) {
    case 'isolate-tenant':
      return `tenant ${target.tenant} is isolated`;
    case 'read-only':
      return `tenant ${target.tenant} is read-only`;
    case 'open-breaker':
      return `calls of ${target.service} ${target.operation}${target.tenant === '' ? '' : ` for tenant ${target.tenant}`} are refused`;
    case 'drain-endpoint': {
      const to = target.redirect === undefined ? '' : `, and ${target.redirect} takes over`;
      return `endpoint ${target.endpoint} of ${target.service} gets nothing new${to}`;
    }
    case 'hold-queue': {
      const what = target.type === undefined ? 'all jobs' : `jobs of type ${target.type}`;
      return `${what}${target.tenant === undefined ? '' : ` of tenant ${target.tenant}`} are held`;
    }
  }
}
