import { InvalidInputError } from '../../errors';
import { begin, NEVER, untilAborted } from '../abort';
import type { PolicyFor, Protected } from '../policy';
import { tell } from '../tell';
import { FallbackExhaustedError } from './fallback-exhausted-error';

/** What is known when a level is asked. */
export interface FallbackRequest {
  /** The error of the call itself. */
  readonly cause: unknown;
  readonly signal: AbortSignal;
  /** Which of several alike calls it is, such as the country whose tax rate is asked for. */
  readonly key: string;
}

/** Another way to an answer. It throws when it has none, and the next level is asked. */
export interface FallbackLevel<Value> {
  /** Shown to the caller and in metrics: `other-endpoint`, `cached`, `simplified`, `emergency`. */
  readonly name: string;
  answer(request: FallbackRequest): LevelAnswer<Value> | PromiseLike<LevelAnswer<Value>>;
  /** Told every answer of the call itself. */
  remember?(key: string, value: Value): void;
}

export interface LevelAnswer<Value> {
  readonly value: Value;
  /** How old it is, when it was true once and may be no longer. */
  readonly staleMs?: number;
}

export interface Answered<Value> extends LevelAnswer<Value> {
  /** `primary`, or the name of the level that answered. */
  readonly level: string;
  /** Why the call itself did not. */
  readonly cause?: unknown;
}

export interface FallbackOptions<Value> {
  /** In the order in which they are asked. */
  readonly levels: readonly FallbackLevel<Value>[];
  /** Which errors they stand in for; all by default. */
  readonly handles?: (error: unknown) => boolean;
  readonly onAnswer?: (answer: { readonly level: string; readonly cause?: unknown }) => void;
}

export const PRIMARY = 'primary';

/** Answers in a call's place when it fails, level by level, and says which one answered. */
export class Fallback<Value> implements PolicyFor<Value> {
  private readonly levels: readonly FallbackLevel<Value>[];
  private readonly handles: (error: unknown) => boolean;
  private readonly onAnswer: FallbackOptions<Value>['onAnswer'];

  /** @throws InvalidInputError naming the option */
  constructor({ levels, handles, onAnswer }: FallbackOptions<Value>) {
    const names = new Set([PRIMARY, ...levels.map(({ name }) => name)]);
    if (levels.length === 0) throw new InvalidInputError('Fallback: levels: there are none');
    if (names.size <= levels.length) {
      throw new InvalidInputError(`Fallback: levels: names are used twice, or one is '${PRIMARY}'`);
    }
    this.levels = levels;
    this.handles = handles ?? (() => true);
    this.onAnswer = onAnswer;
  }

  /** The value alone. @throws FallbackExhaustedError; an error that is not handled; the signal's reason */
  async execute(call: Protected<Value>, signal: AbortSignal = NEVER): Promise<Value> {
    return (await this.answer(call, { signal })).value;
  }

  /** The value and where it came from. Throws as `execute` does. */
  async answer(
    call: Protected<Value>,
    { signal = NEVER, key = '' }: { readonly signal?: AbortSignal; readonly key?: string } = {},
  ): Promise<Answered<Value>> {
    signal.throwIfAborted();
    try {
      const value = await untilAborted(begin(call, signal), signal);
      for (const level of this.levels) level.remember?.(key, value);
      return this.answered({ value, level: PRIMARY });
    } catch (cause) {
      if (signal.aborted || !this.handles(cause)) throw cause;
      return this.answerInstead({ cause, signal, key });
    }
  }

  private async answerInstead(request: FallbackRequest): Promise<Answered<Value>> {
    const { cause, signal } = request;
    const failures: { level: string; error: unknown }[] = [];
    for (const level of this.levels) {
      try {
        const answer = await untilAborted(
          begin(() => level.answer(request), signal),
          signal,
        );
        return this.answered({ ...answer, level: level.name, cause });
      } catch (error) {
        if (signal.aborted) throw error;
        failures.push({ level: level.name, error });
      }
    }
    throw new FallbackExhaustedError(cause, failures);
  }

  private answered(answer: Answered<Value>): Answered<Value> {
    tell(this.onAnswer, answer);
    return answer;
  }
}
