/**
 * Where the keys of a TOML text stand. The parser says where a text is no TOML; which line a key of
 * a well-formed text is on, for an error about its value, is found here.
 */

/** Line of a key path such as `network.listen`, or of the table or key that holds it; from 1. */
export function lineOfKey(text: string, path: readonly (string | number)[]): number {
  const lines = keyLines(text);
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(nameOf(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return 1;
}

const nameOf = (path: readonly (string | number)[]): string => JSON.stringify(path.map(String));

/** Every table header and key of a well-formed text. */
function keyLines(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const add = (path: readonly string[], line: number): void => {
    const name = nameOf(path);
    if (!found.has(name)) found.set(name, line);
  };
  const repeated = new Map<string, number>();
  let table: string[] = [];
  let open: OpenValue = { closing: undefined, depth: 0 };
  text.split('\n').forEach((line, i) => {
    if (open.closing !== undefined || open.depth > 0) {
      open = scanValue(line, 0, open);
      return;
    }
    const header = /^\s*(\[\[?)(.*?)\]\]?\s*(#.*)?$/.exec(line);
    if (header !== null) {
      table = splitKey(header[2] ?? '').keys;
      if (header[1] === '[[') {
        const name = nameOf(table);
        const index = repeated.get(name) ?? 0;
        repeated.set(name, index + 1);
        table = [...table, String(index)];
      }
      add(table, i + 1);
      return;
    }
    if (/^\s*(#.*)?$/.test(line)) return;
    const { keys, end } = splitKey(line);
    keys.forEach((_, last) => {
      add([...table, ...keys.slice(0, last + 1)], i + 1);
    });
    open = scanValue(line, end, open);
  });
  return found;
}

/** The dotted key that a line begins with, and where what follows it begins. */
function splitKey(line: string): { readonly keys: string[]; readonly end: number } {
  const keys: string[] = [];
  const part = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(\.?)/y;
  let end = 0;
  for (;;) {
    part.lastIndex = end;
    const match = part.exec(line);
    if (match === null) return { keys, end };
    keys.push(match[1] ?? match[2] ?? match[3] ?? '');
    end = part.lastIndex;
    if (match[4] !== '.') return { keys, end };
  }
}

interface OpenValue {
  /** The quotes that end the string that is open over lines. */
  readonly closing: string | undefined;
  /** Brackets that are open. */
  readonly depth: number;
}

function scanValue(line: string, start: number, open: OpenValue): OpenValue {
  let { closing, depth } = open;
  for (let at = start; at < line.length; ) {
    if (closing !== undefined) {
      const isLiteral = closing.startsWith("'");
      if (!isLiteral && line[at] === '\\') at += 2;
      else if (line.startsWith(closing, at)) {
        at += closing.length;
        closing = undefined;
      } else at++;
      continue;
    }
    const char = line[at];
    if (char === '#') break;
    if (char === '[' || char === '{') depth++;
    if (char === ']' || char === '}') depth--;
    if (char === '"' || char === "'") {
      closing = line.startsWith(char.repeat(3), at) ? char.repeat(3) : char;
      at += closing.length;
    } else at++;
  }
  // A string of one quote ends with its line at the latest.
  return { closing: closing?.length === 3 ? closing : undefined, depth };
}
