/**
 * Attributes of a contract's functions and which of them go together: HOST_FN_ABI_SPEC §3.5 and
 * §3.5.1. Combinations that are allowed with a warning (`reentrant` with `payable` or `sponsored`)
 * pass here; warning is for who builds the contract.
 */

/** Bits of `attributes`. */
export const ATTRIBUTE = {
  view: 1,
  payable: 2,
  reentrant: 4,
  sponsored: 8,
  constructor: 16,
  fallback: 32,
  receive: 64,
  entry: 128,
} as const;
export type Attribute = keyof typeof ATTRIBUTE;

export const ALL_ATTRIBUTES = 255;

/** Pairs that no function may have. */
const EXCLUDED: readonly (readonly [Attribute, Attribute])[] = [
  ['view', 'payable'],
  ['view', 'constructor'],
  ['view', 'reentrant'],
  ['view', 'sponsored'],
  ['view', 'fallback'],
  ['view', 'receive'],
  ['constructor', 'reentrant'],
  ['constructor', 'sponsored'],
  ['constructor', 'fallback'],
  ['constructor', 'receive'],
  ['fallback', 'receive'],
  ['receive', 'reentrant'],
];

export function hasAttribute(attributes: number, attribute: Attribute): boolean {
  return (attributes & ATTRIBUTE[attribute]) !== 0;
}

/**
 * Whether the chain may enter a function from outside: by its name, or as constructor, fallback or
 * receive. Others are declared and stay the contract's own (§3.5, `entry`).
 */
export function isDispatched(attributes: number): boolean {
  const dispatching =
    ATTRIBUTE.entry | ATTRIBUTE.constructor | ATTRIBUTE.fallback | ATTRIBUTE.receive;
  return (attributes & dispatching) !== 0;
}

/** What is wrong with a combination of attributes, for people; undefined when nothing is. */
export function attributeFault(attributes: number): string | undefined {
  if ((attributes & ~ALL_ATTRIBUTES) !== 0) return 'has attribute bits that mean nothing';
  for (const [one, other] of EXCLUDED) {
    if (hasAttribute(attributes, one) && hasAttribute(attributes, other)) {
      return `is both ${one} and ${other}`;
    }
  }
  if (hasAttribute(attributes, 'receive') && !hasAttribute(attributes, 'payable')) {
    return 'is receive and not payable';
  }
  return undefined;
}
