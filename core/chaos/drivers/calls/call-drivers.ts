import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ConnectionSettings } from '../../../../database';
import { CALL_PARAMETERS, FOLLOW_EVERY_MS } from '../../../injection-points';
import { defineDriver } from '../define-driver';
import type { AnyDriver } from '../driver';
import { inSession } from '../postgres/session';

type Nothing = Record<never, never>;

/** Processes have looked once more, and their look has been answered. */
const HEARD_MS = 2 * FOLLOW_EVERY_MS;

const SUMMARIES = {
  'calls.latency': 'calls of the SDK are late, for a tenant, an operation or a share',
  'calls.error': 'calls of the SDK fail',
  'calls.timeout': 'calls of the SDK get no answer',
  'calls.clock-skew': 'the clock that input is dated by is off',
} as const;

/**
 * Faults in the processes that follow them (core/injection-points). Their lease in the control plane is what those processes
 * read; each lets the fault end at the deadline by itself, whether or not it can still read.
 *
 * @param platform the control plane's database
 */
export function callDrivers(platform: ConnectionSettings): readonly AnyDriver[] {
  const names = ['calls.latency', 'calls.error', 'calls.timeout', 'calls.clock-skew'] as const;
  const mark = (leaseId: string, at: 'clock_timestamp()' | 'null', signal: AbortSignal) =>
    inSession(platform, { applicationName: 'chronawflow chaos', signal }, (session) =>
      session.query(
        `update chronawflow.fault_lease set injected_at = ${at} where id = $1 and ended_at is null`,
        [leaseId],
      ),
    );
  return names.map((name) =>
    defineDriver<'calls', object, Nothing>({
      name,
      targetKind: 'calls',
      summary: SUMMARIES[name],
      parameters: CALL_PARAMETERS[name],
      saved: z.strictObject({}),
      afterPowerLoss: 'gone',
      boundedBy: 'its rule',
      prepare: async () => ({}),
      inject: async ({ leaseId, signal }) => {
        await mark(leaseId, 'clock_timestamp()', signal);
      },
      remove: async ({ leaseId, signal, pastDeadline }) => {
        // Each process has ended it by itself; with the control plane away nobody could be told either.
        if (pastDeadline) return;
        await mark(leaseId, 'null', signal);
        await sleep(HEARD_MS);
      },
      isThere: async ({ leaseId, signal, pastDeadline }) => {
        if (pastDeadline) return false;
        return inSession(platform, { applicationName: 'chronawflow chaos', signal }, async (session) => {
          const { rows } = await session.query(
            `select 1 from chronawflow.fault_lease
              where id = $1 and ended_at is null and injected_at is not null and deadline > clock_timestamp()`,
            [leaseId],
          );
          return rows.length > 0;
        });
      },
    }),
  );
}
