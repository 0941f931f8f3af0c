import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { Chronawflow } from '../../client';

export interface JobAccount {
  readonly asked: number;
  readonly once: number;
  readonly twice: number;
  readonly waiting: number;
  /** Some are taken and not done yet. */
  readonly owed: boolean;
  /** All that were asked for are done, each once. */
  readonly settled: boolean;
}

/** Asks for jobs and keeps their marks; what became of them it counts in the application's own tables. */
export class JobLedger {
  private readonly marks: string[] = [];

  constructor(
    private readonly cf: Pick<Chronawflow, 'jobs'>,
    private readonly application: Pool,
  ) {}

  /** @returns how many were taken; one that was refused has told its caller so, and is owed to nobody. */
  async ask(tenant: string, count: number, takes: number): Promise<number> {
    let taken = 0;
    for (let n = 0; n < count; n += 1) {
      const mark = `office ${randomUUID()}`;
      await this.cf.jobs.submit({ tenant, type: 'office-invoice', key: mark, input: { mark, takes } });
      this.marks.push(mark);
      taken += 1;
    }
    return taken;
  }

  async account(): Promise<JobAccount> {
    const { rows } = await this.application.query<{ once: number; twice: number }>(
      `select count(*) filter (where n = 1)::integer as once, count(*) filter (where n > 1)::integer as twice
       from (select count(*) as n from public.invoice_lines where description = any ($1) group by description) done`,
      [this.marks],
    );
    const [{ once, twice } = { once: 0, twice: 0 }] = rows;
    const asked = this.marks.length;
    const waiting = asked - once - twice;
    return { asked, once, twice, waiting, owed: waiting > 0, settled: waiting === 0 && twice === 0 };
  }
}
