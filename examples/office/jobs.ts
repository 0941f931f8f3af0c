import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineJob } from '../../client/job-types';
import { postInvoice } from '../accubooks/post-invoice';

/** A job of the office: posts one invoice whose line carries the mark, so that plain SQL tells how often it was done. */
export const officeInvoice = defineJob({
  type: 'office-invoice',
  input: z.object({
    mark: z.string().min(1),
    /** Milliseconds that it takes before it posts. */
    takes: z.number().int().min(0).max(60_000),
  }),
  timeout: '2m',
  retry: { maxAttempts: 50 },
  run: async (ctx, { mark, takes }) => {
    await sleep(takes, undefined, { signal: ctx.signal });
    await ctx.once('post', async (tx) => {
      const { rows } = await tx.query<{ id: string }>(
        'select id from customers where organisation_id = $1 order by id limit 1',
        [ctx.tenant],
      );
      const customerId = rows[0]?.id;
      if (customerId === undefined) throw new Error(`${ctx.tenant} has no customer`);
      await postInvoice(tx, {
        organisationId: ctx.tenant,
        customerId,
        issuedOn: '2026-11-30',
        lines: [{ description: mark, quantity: 1, unitPrice: 100 }],
      });
      return { mark };
    });
    return { mark };
  },
});

/** What `jobs.modules` names. */
export const jobs = [officeInvoice];
