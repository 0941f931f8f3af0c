import { ConsecutiveBreaker, CountBreaker, circuitBreaker, handleAll, SamplingBreaker } from 'cockatiel';
import OpossumBreaker from 'opossum';
import type { Side } from './alternate';

/** The function that is protected: as little as an asynchronous function can do. */
export const bareCall = async (): Promise<number> => 1;

/** cockatiel's three breakers, each with one rule: it has no breaker with several, and none for slow calls. */
export function cockatielSides(): readonly Side[] {
  const breakers = {
    'cockatiel, consecutive': new ConsecutiveBreaker(5),
    'cockatiel, count': new CountBreaker({ threshold: 0.5, size: 100 }),
    'cockatiel, sampling': new SamplingBreaker({ threshold: 0.5, duration: 60_000 }),
  };
  return Object.entries(breakers).map(([name, breaker]) => {
    const policy = circuitBreaker(handleAll, { halfOpenAfter: 30_000, breaker });
    return { name, call: () => policy.execute(bareCall) };
  });
}

export function isolatedCockatiel(): Side {
  const policy = circuitBreaker(handleAll, { halfOpenAfter: 30_000, breaker: new ConsecutiveBreaker(5) });
  policy.isolate();
  return { name: 'cockatiel', call: () => policy.execute(bareCall) };
}

export interface OpossumSide extends Side {
  readonly open: () => void;
  /** It has two timers. */
  readonly close: () => void;
}

export function opossumSide(): OpossumSide {
  const breaker = new OpossumBreaker(bareCall, { timeout: false, errorThresholdPercentage: 50 });
  return {
    name: 'opossum',
    call: () => breaker.fire(),
    open: () => breaker.open(),
    close: () => breaker.shutdown(),
  };
}
