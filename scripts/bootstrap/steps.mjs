import { messageOf } from './bootstrap-failure.mjs';

/** Long steps say that they are alive about this often. */
const HEARTBEAT_MS = 15_000;

/**
 * Prints the steps of the preparation, one plain line an event, on standard error, so that standard output belongs to
 * the program that is prepared for. Several steps may run side by side: a line always begins with its step's name.
 */
export class Steps {
  #stream;
  #colour;
  #width;

  constructor(names, { stream = process.stderr, env = process.env } = {}) {
    this.#stream = stream;
    this.#colour = stream.isTTY === true && (env.NO_COLOR ?? '') === '';
    this.#width = Math.max(...names.map((name) => name.length));
  }

  /**
   * Runs `work(note)`, which resolves with `{ value, summary }`; `note(text)` tells what is going on now.
   * Prints the summary, or the first line of the error, with the time taken.
   */
  async run(name, work) {
    const started = performance.now();
    let doing = 'working';
    const heartbeat = setInterval(
      () => this.#line(name, '…', `${doing}, ${seconds(started)} so far`),
      HEARTBEAT_MS,
    );
    try {
      const { value, summary } = await work((text) => {
        doing = text;
        this.#line(name, '…', text);
      });
      this.#line(name, this.#paint('32', '✓'), `${summary} (${seconds(started)})`);
      return value;
    } catch (error) {
      const verdict = error?.name === 'AbortError' ? 'stopped' : messageOf(error).split('\n', 1)[0];
      this.#line(name, this.#paint('31', '✗'), `${verdict} (${seconds(started)})`);
      throw error;
    } finally {
      clearInterval(heartbeat);
    }
  }

  #line(name, mark, text) {
    this.#stream.write(`${mark} ${this.#paint('1', name.padEnd(this.#width))}  ${text}\n`);
  }

  #paint(code, text) {
    return this.#colour ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

function seconds(started) {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}
