import type { Pool } from 'pg';
import { z } from 'zod';
import type { ChaosTarget } from '../../config';
import { repeat } from '../repeat';
import type { CallFault } from './call-fault';
import { setCallFaults } from './injection-point';

const share = { share: z.number().gt(0).lte(1).default(1) };
const scope = {
  operation: z.string().min(1).optional(),
  tenants: z.array(z.string().min(1)).min(1).optional(),
  ...share,
};
const ms = z.number().int().min(0).max(3_600_000);

/** Parameters of each fault of calls, by its driver's name. */
export const CALL_PARAMETERS = {
  'calls.latency': z.strictObject({ latencyMs: ms, jitterMs: ms.default(0), ...scope }),
  'calls.error': z.strictObject({
    message: z.string().max(500).default('An experiment made this call fail.'),
    ...scope,
  }),
  'calls.timeout': z.strictObject({ ...scope }),
  'calls.clock-skew': z.strictObject({ skewMs: z.number().int().min(-1e12).max(1e12), ...scope }),
} as const;

export type CallDriver = keyof typeof CALL_PARAMETERS;

export const FOLLOW_EVERY_MS = 500;

export interface FollowOptions {
  readonly targets: Readonly<Record<string, ChaosTarget>>;
  readonly everyMs?: number;
}

interface Row {
  readonly id: string;
  readonly driver: string;
  readonly target: string;
  readonly parameters: unknown;
  readonly remaining: string;
}

/**
 * Has faults of calls take effect in this process while they are injected. While the control plane is away those that are known
 * go on to their deadlines, and no new one is heard of.
 *
 * @returns how to stop it; what is in effect ends with it.
 */
export function followCallFaults(
  platform: Pool,
  { targets, everyMs = FOLLOW_EVERY_MS }: FollowOptions,
): () => Promise<void> {
  const looks = repeat(everyMs, async () => {
    setCallFaults((await read(platform)).flatMap((row) => faultOf(row, targets)));
  });
  looks.start();
  return async () => {
    await looks.stop();
    setCallFaults([]);
  };
}

async function read(platform: Pool): Promise<Row[]> {
  const { rows } = await platform.query<Row>(
    `select id, driver, target, parameters, extract(epoch from deadline - clock_timestamp()) * 1000 as remaining
       from chronawflow.fault_lease
      where ended_at is null and injected_at is not null and driver like 'calls.%' and deadline > clock_timestamp()`,
  );
  return rows;
}

/** The row as a fault of this process, or nothing: what the row says is input. */
export function faultOf(row: Row, targets: FollowOptions['targets']): CallFault[] {
  const target = Object.hasOwn(targets, row.target) ? targets[row.target] : undefined;
  if (target?.kind !== 'calls') return [];
  const common = { id: row.id, service: target.service, until: performance.now() + Number(row.remaining) };
  const fault = effectOf(row.driver, row.parameters);
  return fault === undefined ? [] : [{ ...common, ...fault }];
}

function effectOf(
  driver: string,
  parameters: unknown,
): Omit<CallFault, 'id' | 'service' | 'until'> | undefined {
  switch (driver) {
    case 'calls.latency': {
      const read = CALL_PARAMETERS[driver].safeParse(parameters).data;
      return (
        read && { ...scopeOf(read), effect: { kind: 'latency', ms: read.latencyMs, jitterMs: read.jitterMs } }
      );
    }
    case 'calls.error': {
      const read = CALL_PARAMETERS[driver].safeParse(parameters).data;
      return read && { ...scopeOf(read), effect: { kind: 'error', message: read.message } };
    }
    case 'calls.timeout': {
      const read = CALL_PARAMETERS[driver].safeParse(parameters).data;
      return read && { ...scopeOf(read), effect: { kind: 'timeout' } };
    }
    case 'calls.clock-skew': {
      const read = CALL_PARAMETERS[driver].safeParse(parameters).data;
      return read && { ...scopeOf(read), effect: { kind: 'clock-skew', ms: read.skewMs } };
    }
    default:
      return undefined;
  }
}

function scopeOf({
  operation,
  tenants,
  share: part,
}: {
  readonly operation?: string;
  readonly tenants?: readonly string[];
  readonly share: number;
}) {
  return { operation, tenants, share: part };
}
