import { workflowIdPart } from '../workflow-id';

/** The scope of everything; a process obeys it beside that of the tenant's tier. */
export const PLATFORM_SCOPE = 'platform';

export function tierScope(tier: string): string {
  return `tier/${workflowIdPart(tier)}`;
}

/** All scopes of a configuration. */
export function scopesOf({ tiers }: { readonly tiers: readonly string[] }): readonly string[] {
  return [PLATFORM_SCOPE, ...tiers.map(tierScope)];
}
