import type { z } from 'zod';
import { retryBudgetOptions } from '../../../config';
import { parseOptions } from '../parse-options';

export type RetryBudgetOptions = z.input<typeof retryBudgetOptions>;

/**
 * What all retries towards one target may cost it together: every call pays in a share of a retry, every retry takes a
 * whole one. So retries are never more than `reserve + share · calls`, however much fails: the way of gRPC's retry
 * throttling (A6, token_ratio) and Finagle's RetryBudget. Share one budget between all that call the target.
 */
export class RetryBudget {
  private readonly share: number;
  private readonly reserve: number;
  private balance: number;

  /** @throws InvalidInputError naming the option */
  constructor(options: RetryBudgetOptions = {}) {
    const { share, reserve } = parseOptions(retryBudgetOptions, options, 'RetryBudget');
    this.share = share;
    this.reserve = reserve;
    this.balance = reserve;
  }

  /** A call was made for the first time. */
  deposit(): void {
    this.balance = Math.min(Math.max(1, this.reserve), this.balance + this.share);
  }

  /** Whether another call may be made that nobody asked for. */
  withdraw(): boolean {
    if (this.balance < 1) return false;
    this.balance -= 1;
    return true;
  }
}
