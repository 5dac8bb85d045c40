/**
 * Everything otigen prints. Without flags: text for people. With `--json`: one event a line
 * (`otigen-events-v1`, OTIGEN_BINARY_SPEC §10.2). With `--quiet`: nothing but errors, also under
 * `--json`. Errors go to standard error in the form of §10.4; `--json` adds an `error` event.
 */
import { styleText } from 'node:util';
import type { LogFields, Logger } from '@pyde/core/platform';
import { type Failure, toFailure } from './failure.ts';

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** 0, 1 (`-v`: what is done) or 2 (`-vv`: also how, and stack traces). */
  readonly verbosity: number;
}

export type Colour = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export class Output {
  readonly options: OutputOptions;
  readonly #out: OutputStream;
  readonly #err: OutputStream;

  constructor(
    options: OutputOptions,
    out: OutputStream = process.stdout,
    err: OutputStream = process.stderr,
  ) {
    this.options = options;
    this.#out = out;
    this.#err = err;
  }

  /** One event: a line of JSON, or its text for people (none when `text` is undefined). */
  event(
    name: string,
    fields: { readonly [key: string]: JsonValue },
    text?: string | (() => string),
  ): void {
    if (this.options.quiet) return;
    if (this.options.json) this.#out.write(`${JSON.stringify({ event: name, ...fields })}\n`);
    else if (text !== undefined) {
      this.#out.write(`${typeof text === 'string' ? text : text()}\n`);
    }
  }

  /** A line for people only. */
  text(line: string): void {
    if (!this.options.quiet && !this.options.json) this.#out.write(`${line}\n`);
  }

  /** A warning for people, on standard error. */
  warn(line: string): void {
    if (this.options.quiet) return;
    this.#err.write(`otigen ${this.#paintErr('yellow', '[WARN]')} ${line}\n`);
  }

  /** Paints text when standard output is a terminal that wants colour. */
  paint(colour: Colour, text: string): string {
    return wantsColour(this.#out) ? styleText(colour, text, { validateStream: false }) : text;
  }

  /** Prints the failure; returns the exit code. A stack trace appears only with `-vv`. */
  failure(error: unknown): number {
    const failure = toFailure(error);
    this.#err.write(this.#describe(failure));
    if (this.options.verbosity >= 2 && error instanceof Error) {
      this.#err.write(`${error.stack ?? ''}\n`);
    }
    this.event('error', {
      error: failure.code,
      exit_code: failure.exitCode,
      message: failure.message,
      details: failure.details,
      ...(failure.next === undefined ? {} : { next: failure.next }),
    });
    return failure.exitCode;
  }

  /** Log lines on standard error: info from `-v`, debug from `-vv`, warnings unless quiet. */
  get log(): Logger {
    const line = (label: string, message: string, fields: LogFields = {}) => {
      const values = Object.entries(fields).map(([key, value]) => ` ${key}=${value}`);
      this.#err.write(`otigen [${label}] ${message}${values.join('')}\n`);
    };
    const { quiet, verbosity } = this.options;
    return {
      debug: (message, fields) => verbosity >= 2 && line('DEBUG', message, fields),
      info: (message, fields) => verbosity >= 1 && line('INFO', message, fields),
      warn: (message, fields) => quiet || line('WARN', message, fields),
      error: (message, fields) => line('ERROR', message, fields),
    };
  }

  #describe(failure: Failure): string {
    const fields = Object.entries(failure.details)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, String(value)]);
    if (failure.next !== undefined) fields.push(['next', failure.next]);
    const width = Math.max(0, ...fields.map(([key]) => (key ?? '').length)) + 1;
    const lines = fields.map(
      ([key, value]) => `  ${`${key}:`.padEnd(width)}  ${printable(value ?? '')}\n`,
    );
    const head = `${failure.code}: ${printable(failure.message)}\n`;
    return `otigen ${this.#paintErr('red', '[ERROR]')} ${head}${lines.join('')}`;
  }

  #paintErr(colour: Colour, text: string): string {
    return wantsColour(this.#err) ? styleText(colour, text, { validateStream: false }) : text;
  }
}

/** Text of files and nodes may hold control characters that would steer the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}

function wantsColour(stream: OutputStream): boolean {
  return stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
}
