/**
 * The modules of a WebAssembly test script (`.wast`), and what the script says of each: the official
 * suite's own format, of which only modules are read. Text goes through wabt; what it cannot put
 * into bytes (text that is no module, names that mean nothing) never reaches a decoder.
 */
import { wat } from './wat.ts';

export type Expectation = 'valid' | 'invalid' | 'malformed';

export interface ScriptModule {
  readonly line: number;
  readonly expectation: Expectation;
  /** What the script says is wrong; empty for valid ones. */
  readonly reason: string;
  /** Undefined when the module has no binary form. */
  readonly bytes: Uint8Array | undefined;
}

/** A list in parentheses, or a word or string as it stands there. */
interface List {
  readonly items: readonly Node[];
  readonly start: number;
  readonly end: number;
}
type Node = List | string;

const EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  assert_invalid: 'invalid',
  assert_malformed: 'malformed',
  // What fails only when it is linked or run is right by itself.
  assert_unlinkable: 'valid',
  assert_trap: 'valid',
  assert_uninstantiable: 'valid',
};
const ALL_FEATURES = {
  exceptions: true,
  simd: true,
  threads: true,
  function_references: true,
  tail_call: true,
  reference_types: true,
  memory64: true,
  extended_const: true,
  relaxed_simd: true,
};

/** @param script the bytes of the file, one character each */
export function modulesOf(script: string): ScriptModule[] {
  const out: ScriptModule[] = [];
  for (const form of parse(script)) {
    const [head, first, second] = form.items;
    if (typeof head !== 'string') continue;
    const expectation = head === 'module' ? 'valid' : EXPECTATIONS[head];
    const module = head === 'module' ? form : first;
    if (expectation === undefined || typeof module !== 'object') continue;
    // An assertion of a trap may be about a call.
    if (module.items[0] !== 'module' || module.items[1] === 'instance') continue;
    out.push({
      line: script.slice(0, form.start).split('\n').length,
      expectation,
      reason: typeof second === 'string' && expectation !== 'valid' ? textOf(second) : '',
      bytes: bytesOf(module, script),
    });
  }
  return out;
}

function bytesOf(module: List, script: string): Uint8Array | undefined {
  const words = module.items.filter((item) => typeof item === 'string');
  const kind = words.slice(1, 4).find((word) => word === 'binary' || word === 'quote');
  const strings = words.filter((word) => word.startsWith('"')).map(textOf);
  if (kind === 'binary') return latin1(strings.join(''));
  const text =
    kind === 'quote'
      ? `(module ${strings.join('')})`
      : script.slice(module.start, module.end).replace(/^\(module\s+definition\b/, '(module');
  try {
    return wat(latin1(text), ALL_FEATURES);
  } catch {
    return undefined;
  }
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** Strings with their escapes, or a character of a word, space or comment. */
const TOKEN = /"(?:[^"\\]|\\[\s\S])*"|;;[^\n]*|\(;|;\)|[()]|[^\s()";]+|\s+|;/g;

function parse(script: string): List[] {
  const top: Node[] = [];
  const open: { items: Node[]; start: number }[] = [];
  let comments = 0;
  for (const { 0: token, index } of script.matchAll(TOKEN)) {
    const inside = open.at(-1)?.items ?? top;
    if (token === '(;') comments++;
    else if (token === ';)') comments--;
    else if (comments > 0 || token.startsWith(';;') || token.trim() === '') continue;
    else if (token === '(') open.push({ items: [], start: index });
    else if (token === ')') {
      const list = open.pop();
      if (list === undefined) throw new Error(`a parenthesis too many at ${index}`);
      (open.at(-1)?.items ?? top).push({ ...list, end: index + 1 });
    } else inside.push(token);
  }
  if (open.length > 0) throw new Error(`${open.length} parentheses are not closed`);
  return top.filter((node) => typeof node !== 'string');
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** The bytes that a string says, one character each. */
function textOf(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(/\\(?:([0-9a-fA-F]{2})|u\{([0-9a-fA-F]+)\}|([\s\S]))/g, (_, hex, code, char) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (code !== undefined) {
        const utf8 = new TextEncoder().encode(String.fromCodePoint(Number.parseInt(code, 16)));
        return String.fromCharCode(...utf8);
      }
      return ESCAPES[char] ?? char;
    });
}
