/**
 * The fields of a log line as JSON can hold them. Nothing that is named like a secret is written,
 * whoever logs it, and nothing is longer than a line bears.
 */
import type { LogFields } from '@pyde/core/platform';

export type PlainFields = Record<string, string | number | boolean | null>;

/** Of one value, in UTF-16 units; a stack trace fits, a key or a block of bytes does not. */
export const MAX_VALUE_CHARS = 4_096;
const CENSORED = '(not logged)';
/** Part of a field's name, however it is spelled: `secretKey`, `secret_key`, `keySecret`. */
const SECRET =
  /password|passphrase|secret|private_?key|mnemonic|credential|authorization|^seed$|_seed$|Seed$/i;

/** Whether a field of this name is never written. */
export const isSecretName = (name: string): boolean => SECRET.test(name);

/** `bigint` becomes a number where that is exact. */
export function plainFields(fields: LogFields): PlainFields {
  const plain: PlainFields = {};
  for (const [name, value] of Object.entries(fields)) {
    plain[name] = isSecretName(name) ? CENSORED : plainValue(value);
  }
  return plain;
}

function plainValue(value: LogFields[string]): string | number | boolean | null {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (typeof value !== 'string' || value.length <= MAX_VALUE_CHARS) return value;
  return `${value.slice(0, MAX_VALUE_CHARS)}…`;
}
