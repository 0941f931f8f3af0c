import { createHash } from 'node:crypto';
import type { PayloadsConfig } from '../../../config';
import { workflowIdPart } from '../../workflow-id';
import { PLATFORM } from '../payload-owner.pure';
import type { PayloadOwner } from '../types';

export interface Reader {
  readonly name: string;
  mayRead(owner: PayloadOwner): boolean;
}

/** Who asks the codec server, and whose payloads they may see. */
export interface CodecAuthority {
  /** @returns undefined for nobody that is known */
  readerOf(token: string): Promise<Reader | undefined>;
}

/**
 * What an operator registry says besides; asked at each request, so that a revocation counts at once.
 *
 * @returns whether the operator may see payloads of the tenant, or of the platform when there is none
 */
export type MayDecode = (operator: string) => Promise<(tenant: string | undefined) => boolean>;

type CodecServerConfig = NonNullable<PayloadsConfig['codecServer']>;

/** Tokens of the configuration, which has their hashes alone; within what the registry allows, where there is one. */
export function tokenAuthority(
  { tokens }: Pick<CodecServerConfig, 'tokens'>,
  mayDecode?: MayDecode,
): CodecAuthority {
  // Looked up by hash: how long it takes tells nothing about the token.
  const byHash = new Map(tokens.map((token) => [token.sha256, token]));
  return {
    readerOf: async (token) => {
      const known = byHash.get(createHash('sha256').update(token).digest('hex'));
      if (known === undefined) return undefined;
      const registered = await mayDecode?.(known.operator);
      const byPart = new Map((known.tenants ?? []).map((tenant) => [workflowIdPart(tenant), tenant]));
      return {
        name: known.operator,
        mayRead: (owner) => {
          if (known.tenants !== undefined && !byPart.has(owner)) return false;
          return (
            registered?.(owner === PLATFORM ? undefined : (byPart.get(owner) ?? tenantOf(owner))) ?? true
          );
        },
      };
    },
  };
}

/** The tenant whose part of workflow IDs this is; the part itself where it was too long and ends in a digest. */
export function tenantOf(owner: PayloadOwner): string {
  return owner.includes('~') ? owner : decodeURIComponent(owner);
}
