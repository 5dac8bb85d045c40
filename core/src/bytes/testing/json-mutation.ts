/**
 * Hostile JSON: a valid text with a member of it changed, missing, repeated or of another type, and
 * texts that are JSON no more.
 */
import type { SeededRandom } from './random.ts';

const utf8 = new TextEncoder();

/** As text, since some of them are nothing that `JSON.stringify` writes. */
const VALUES: readonly string[] = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1',
  '1',
  '1.5',
  '4294967295',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '18446744073709551616',
  '1e308',
  '1e400',
  '-1e400',
  '""',
  '"0x"',
  '"0x0"',
  '"0x00"',
  '"0xg0"',
  '"0X00"',
  '"0xffffffffffffffff"',
  '"0x10000000000000000"',
  `"0x${'f'.repeat(64)}"`,
  `"0x${'0'.repeat(65)}"`,
  `"0x${'ab'.repeat(65)}"`,
  '"0x1"',
  '"-0x1"',
  '"\\u0000"',
  '"\\ud800"',
  '"\\"\\\\"',
  '"__proto__"',
  '"constructor"',
  `"${'x'.repeat(3_000)}"`,
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '{"__proto__":null}',
  '{"__proto__":{"method":"pyde_chainId"}}',
  '{"toString":1}',
  '{"length":1}',
  `[${'0,'.repeat(300)}0]`,
  `${'['.repeat(40)}${']'.repeat(40)}`,
  `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`,
];
const NAMES = ['__proto__', 'constructor', 'id', 'method', 'params', 'wave_id', 'x', ''];

/** `seed` is the UTF-8 of a JSON text. */
export function mutateJson(random: SeededRandom, seed: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(seed);
  if (random.oneIn(8)) return utf8.encode(breakText(random, text));
  let mutated: string;
  try {
    mutated = rewrite(random, JSON.parse(text), random.below(placesIn(JSON.parse(text))));
  } catch {
    mutated = text;
  }
  return utf8.encode(random.oneIn(12) ? breakText(random, mutated) : mutated);
}

/** How many values there are to change. */
function placesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, member) => sum + placesIn(member), 1);
}

/** The text of `value` with the value at `place`, counted from the outside, changed. */
function rewrite(random: SeededRandom, value: unknown, place: number): string {
  if (place === 0) return changed(random, value);
  let rest = place - 1;
  const member = (one: unknown): string => {
    const places = placesIn(one);
    const text = rest >= 0 && rest < places ? rewrite(random, one, rest) : JSON.stringify(one);
    rest -= places;
    return text;
  };
  if (Array.isArray(value)) return `[${value.map(member).join(',')}]`;
  const entries = Object.entries(value ?? {});
  return `{${entries.map(([name, one]) => `${JSON.stringify(name)}:${member(one)}`).join(',')}}`;
}

function changed(random: SeededRandom, value: unknown): string {
  const choice = random.below(6);
  if (typeof value === 'string' && choice < 3) return JSON.stringify(changedText(random, value));
  if (Array.isArray(value) && choice < 4) {
    const texts = value.map((one) => JSON.stringify(one));
    if (choice === 0) return `[${texts.slice(1).join(',')}]`;
    if (choice === 1) return `[${[...texts, random.pick(VALUES)].join(',')}]`;
    const many = Array.from({ length: random.pick([2, 65, 101, 257]) }, () => texts[0] ?? '1');
    return `[${many.join(',')}]`;
  }
  if (typeof value === 'object' && value !== null && choice < 4) {
    const members = Object.entries(value).map(
      ([name, one]) => `${JSON.stringify(name)}:${JSON.stringify(one)}`,
    );
    const extra = `${JSON.stringify(random.pick(NAMES))}:${random.pick(VALUES)}`;
    if (choice === 0) members.splice(random.below(members.length), 1);
    else if (choice === 1 && members.length > 0) members.push(random.pick(members));
    else members.push(extra);
    return `{${members.join(',')}}`;
  }
  return random.pick(VALUES);
}

function changedText(random: SeededRandom, text: string): string {
  const at = random.below(text.length + 1);
  switch (random.below(5)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.toUpperCase();
    case 2:
      return `${text.slice(0, at)}${random.pick(['0', '00', 'g', ' ', '-', '\u0000', 'é'])}${text.slice(at)}`;
    case 3:
      return `${text.slice(0, at)}${random.pick(['0', '7', 'f', 'F', 'z'])}${text.slice(at + 1)}`;
    default:
      return text + text;
  }
}

function breakText(random: SeededRandom, text: string): string {
  const at = random.below(text.length + 1);
  switch (random.below(6)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return (
        text.slice(0, at) +
        random.pick(['[', ']', '{', '}', '"', ',', '\\', '\u0001', '\ufeff', '💥']) +
        text.slice(at)
      );
    case 2:
      return text.slice(0, at) + text.slice(at + 1);
    case 3:
      return `[${Array.from({ length: random.pick([0, 1, 2, 101]) }, () => text).join(',')}]`;
    case 4:
      return ' \n\t'.repeat(random.below(200)) + text;
    default:
      return '['.repeat(random.pick([31, 32, 33, 5_000])) + text;
  }
}
