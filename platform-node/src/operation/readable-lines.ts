/**
 * Log lines for eyes: `17:04:05.123 info  wave wave=12 epoch=0`. It reads the JSON lines that pino
 * writes; whatever is not one passes as it is.
 */

const COLOUR: Readonly<Record<string, string>> = {
  debug: '\u001b[2m',
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
};
const RESET = '\u001b[0m';
const LEVEL_WIDTH = 5;
/** Of an ISO time: hours to milliseconds. */
const CLOCK = [11, 23] as const;

/** @param line one JSON object and a newline */
export function readableLine(line: string, isColoured: boolean): string {
  const record = parsed(line);
  if (record === undefined) return line;
  const { time, level, msg, ...fields } = record;
  const clock = String(time).slice(...CLOCK);
  const name = String(level).padEnd(LEVEL_WIDTH);
  const colour = isColoured ? COLOUR[String(level)] : undefined;
  const shown = colour === undefined ? name : `${colour}${name}${RESET}`;
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${readableValue(value)}`);
  return `${clock} ${shown} ${printable(String(msg))}${rest.join('')}\n`;
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const record: unknown = JSON.parse(line);
    if (typeof record !== 'object' || record === null) return undefined;
    return Object.fromEntries(Object.entries(record));
  } catch {
    return undefined;
  }
}

/** Quoted where a blank would split it. */
function readableValue(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? '';
  return /^[\w.:/@+-]+$/.test(value) ? value : printable(JSON.stringify(value));
}

/** A value from outside must not steer the terminal. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, '\uFFFD');
