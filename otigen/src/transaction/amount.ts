/** Amounts in quanta as people write and read them; 1 PYDE = 10⁹ quanta. */
import { U64_MAX, U128_MAX } from '@pyde/core/bytes';
import { QUANTA_PER_PYDE, type Quanta, toQuanta } from '@pyde/core/types';
import { invalidArgs } from '../output/index.ts';

/**
 * `100_000_000` or `0x5f5e100`, in quanta.
 * @throws Failure `InvalidArgs`
 */
export function parseAmount(text: string): Quanta {
  return toQuanta(parseWhole(text, U128_MAX, 'an amount in quanta'));
}

/** @throws Failure `InvalidArgs` */
export function parseGasLimit(text: string): bigint {
  return parseWhole(text, U64_MAX, 'a gas limit');
}

/** `1.5 PYDE (1500000000 quanta)`. */
export function formatAmount(quanta: bigint): string {
  const whole = quanta / QUANTA_PER_PYDE;
  const rest = (quanta % QUANTA_PER_PYDE).toString().padStart(9, '0').replace(/0+$/, '');
  return `${whole}${rest === '' ? '' : `.${rest}`} PYDE (${quanta} quanta)`;
}

function parseWhole(text: string, max: bigint, what: string): bigint {
  const decimal = /^[0-9]+(_[0-9]+)*$/.test(text);
  if ((decimal || /^0x[0-9a-fA-F]+$/.test(text)) && text.length <= 100) {
    const value = BigInt(text.replaceAll('_', ''));
    if (value <= max) return value;
    throw invalidArgs(`${text} is above the largest amount, ${max}`);
  }
  throw invalidArgs(
    `"${text}" is not ${what}`,
    'write a whole number like 100_000_000 or 0x5f5e100; 1 PYDE is 1_000_000_000 quanta',
  );
}
