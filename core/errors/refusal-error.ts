import { ChronawflowError, type ChronawflowErrorOptions, type ErrorKind } from './chronawflow-error';

/**
 * What `Error` gives its children, without the stack that V8 records in Error's constructor: 2.7 µs of the 4.7 µs that
 * a rejection took with it (docs/decisions/breaker-hot-path.md). The way not taken, `Error.stackTraceLimit = 0` for a
 * moment, changes a setting of the whole process.
 */
class WithoutStack {
  readonly name: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly #message: string;

  constructor(message: string, options: ChronawflowErrorOptions = {}) {
    this.#message = message;
    this.name = new.target.name;
    this.hint = options.hint;
    this.details = options.details ?? {};
    if (options.cause !== undefined) Object.defineProperty(this, 'cause', { value: options.cause });
  }

  get message(): string {
    return this.#message;
  }

  get stack(): string {
    return `${this.name}: ${this.#message}`;
  }
}
Object.setPrototypeOf(WithoutStack.prototype, ChronawflowError.prototype);
const Base: typeof ChronawflowError = Object.setPrototypeOf(WithoutStack, ChronawflowError);

/**
 * Base of the errors with which a guard turns a call away: a breaker that is open, a bulkhead that is full. They are
 * made thousands of times a second just when a service is in trouble, and say by their fields where they come from, so
 * they carry no stack. `instanceof Error` holds; `structuredClone` sees a plain object.
 */
export abstract class RefusalError extends Base {
  // Fields of ChronawflowError that its own constructor would have set.
  override readonly retryable: boolean = true;
  override readonly kind: ErrorKind = 'refused';
}
