import { ChronawflowError, type ChronawflowErrorOptions, type ErrorKind } from './chronawflow-error';

export interface RefusalOptions extends Omit<ChronawflowErrorOptions, 'details'> {
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * What `Error` gives its children, without the stack that V8 records in Error's constructor: 2.7 µs of the 4.7 µs that
 * a rejection took with it (docs/decisions/breaker-hot-path.md). The way not taken, `Error.stackTraceLimit = 0` for a
 * moment, changes a setting of the whole process.
 */
class WithoutStack {
  readonly name: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryable = true;
  readonly kind = 'refused';
  /** Most of these errors are counted and dropped, so the text is put together when somebody reads it. */
  readonly #describe: () => string;

  constructor(describe: () => string, options: RefusalOptions) {
    this.#describe = describe;
    this.name = new.target.name;
    this.hint = options.hint;
    this.details = options.details;
    if (options.cause !== undefined) Object.defineProperty(this, 'cause', { value: options.cause });
  }

  get message(): string {
    return this.#describe();
  }

  get stack(): string {
    return `${this.name}: ${this.message}`;
  }
}
Object.setPrototypeOf(WithoutStack.prototype, ChronawflowError.prototype);

type Base = ChronawflowError & { readonly kind: ErrorKind };
const Base: abstract new (describe: () => string, options: RefusalOptions) => Base = Object.setPrototypeOf(
  WithoutStack,
  ChronawflowError,
);

/**
 * Base of the errors with which a guard turns a call away: a breaker that is open, a bulkhead that is full. They are
 * made thousands of times a second just when a service is in trouble, and say by their fields where they come from, so
 * they carry no stack. `instanceof Error` holds; `structuredClone` sees a plain object.
 */
export abstract class RefusalError extends Base {}
