import type { Pool } from 'pg';
import { callProvider, openLoop } from '../core/chaos';
import { substitute } from '../core/chaos/experiment/substitute.pure';
import type { ChaosStepInput, LoadWindow } from '../core/chaos/types';
import { InvalidInputError } from '../core/errors';
import { openExperiment } from './chaos-run';
import type { ChaosServices } from './chaos-services';

const IN_FLIGHT = 200;
const LOOK_AT_LEVEL_MS = 1_000;

/** The experiment's load for one window, measured each second together with the level of degradation. */
export async function applyLoad(
  services: ChaosServices,
  input: ChaosStepInput & { readonly window: LoadWindow['window']; readonly durationMs?: number },
  signal: AbortSignal,
): Promise<LoadWindow> {
  const { experiment, context } = await openExperiment(services, input, signal);
  const { load } = experiment.chaos;
  if (load === undefined) throw new InvalidInputError('The experiment has no load.');
  const url = String(substitute(load.url, context.values));
  if (!URL.canParse(url) || !['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname))
    throw new InvalidInputError(`Load is for this host only, not for ${url}.`);
  const levels: number[] = [];
  const timer = setInterval(() => {
    levelOf(services.platform).then(
      (level) => levels.push(level),
      // The control plane may be what is disturbed: the last level is what is known.
      () => levels.push(levels.at(-1) ?? 0),
    );
  }, LOOK_AT_LEVEL_MS);
  try {
    const result = await openLoop({
      ratePerSecond: load.ratePerSecond,
      durationMs: input.durationMs ?? load.around,
      maxInFlight: IN_FLIGHT,
      signal,
      request: async () => {
        const answer = await callProvider({ type: 'http', url, timeout: 30 }, context.values, context);
        const status = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'status') : 0;
        return typeof status === 'number' && status < 400;
      },
    });
    const seconds = result.seconds.map((second, at) => ({
      ...second,
      level: levels[at] ?? levels.at(-1) ?? 0,
    }));
    return { window: input.window, ...result, seconds };
  } finally {
    clearInterval(timer);
  }
}

async function levelOf(platform: Pool): Promise<number> {
  const { rows } = await platform.query<{ rank: number }>(
    `select rank from chronawflow.degradation_level where scope = 'platform'`,
  );
  return rows[0]?.rank ?? 0;
}
