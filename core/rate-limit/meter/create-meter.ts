import type { BaseRule } from '../rule';
import { FixedWindow } from './fixed-window.pure';
import type { Meter } from './meter';
import { SlidingWindow } from './sliding-window.pure';
import { TokenBucket } from './token-bucket.pure';

export function createMeter(rule: BaseRule): Meter {
  switch (rule.kind) {
    case 'fixed-window':
      return new FixedWindow(rule.limit, rule.window);
    case 'sliding-window':
      return new SlidingWindow(rule.limit, rule.window);
    case 'token-bucket':
      return new TokenBucket(rule.capacity, rule.refillPerSecond / 1_000);
  }
}
