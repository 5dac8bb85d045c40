export { compareBytes, concatBytes, equalBytes, isZeroBytes } from './array.ts';
export {
  type BorshErrorCode,
  BorshReader,
  BorshWriter,
  decodeExactly,
  encode,
} from './borsh.ts';
export { type ErrorDetails, invariant, isPydeError, PydeError } from './error.ts';
export { fromHex, fromQuantity, toHex, toQuantity } from './hex.ts';
export {
  readU32BigEndian,
  readU64AsNumber,
  readU64BigEndian,
  readU64LittleEndian,
  U64_MAX,
  U128_MAX,
  u32BigEndian,
  u64BigEndian,
  u64LittleEndian,
} from './integer.ts';
