/**
 * Everything pyde prints: text for people or, with `--json`, JSON; errors and progress on standard
 * error. Colour only on a terminal that wants it.
 */
import { styleText } from 'node:util';

export type Colour = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export class Output {
  readonly isJson: boolean;
  readonly #out: Stream;
  readonly #err: Stream;

  constructor(isJson: boolean, out: Stream = process.stdout, err: Stream = process.stderr) {
    this.isJson = isJson;
    this.#out = out;
    this.#err = err;
  }

  /** The answer of a command: an object for `--json`, lines for people. */
  answer(json: unknown, lines: () => readonly string[]): void {
    if (this.isJson) this.#out.write(`${JSON.stringify(json, plain)}\n`);
    else for (const line of lines()) this.#out.write(`${line}\n`);
  }

  /** One of several answers: `--json` prints one object a line, named by `event`. */
  event(event: string, fields: Readonly<Record<string, unknown>>, text?: string): void {
    if (this.isJson) this.#out.write(`${JSON.stringify({ event, ...fields }, plain)}\n`);
    else if (text !== undefined) this.#out.write(`${text}\n`);
  }

  /** What is going on, on one line that is written over; on a terminal alone. */
  progress(what: string): void {
    if (this.#err.isTTY === true && !this.isJson) this.#err.write(`\r\x1b[K${what}`);
  }

  warn(line: string): void {
    this.#err.write(`pyde ${this.#paintErr('yellow', '[WARN]')} ${printable(line)}\n`);
  }

  error(code: string, message: string, next: string | undefined): void {
    const hint = next === undefined ? '' : `\n  next:  ${next}`;
    const head = `pyde ${this.#paintErr('red', '[ERROR]')} ${code}: `;
    this.#err.write(`${head}${printable(message)}${hint}\n`);
  }

  paint(colour: Colour, text: string): string {
    return wantsColour(this.#out) ? styleText(colour, text, { validateStream: false }) : text;
  }

  #paintErr(colour: Colour, text: string): string {
    return wantsColour(this.#err) ? styleText(colour, text, { validateStream: false }) : text;
  }
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Text of files and nodes may hold control characters that would steer the terminal. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, '\ufffd');
}

function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

function wantsColour(stream: Stream): boolean {
  return stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
}
