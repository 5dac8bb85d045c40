/**
 * Signature checks as one flat buffer between threads: a transfer of memory, no structured clone of
 * many small objects. Both ends are this program, so lengths are trusted.
 *
 * Layout: u32 count, then per check three u32 lengths (public key, message, signature), then the
 * bytes of all checks in the same order. Little-endian.
 */
import type { SignatureCheck } from '@pyde/core/platform';

const HEADER_BYTES = 4;
const LENGTHS_BYTES = 12;

export function packChecks(checks: readonly SignatureCheck[]): Uint8Array<ArrayBuffer> {
  let size = HEADER_BYTES + checks.length * LENGTHS_BYTES;
  for (const c of checks) size += c.publicKey.length + c.message.length + c.signature.length;
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  view.setUint32(0, checks.length, true);
  let at = HEADER_BYTES + checks.length * LENGTHS_BYTES;
  let lengthAt = HEADER_BYTES;
  for (const { publicKey, message, signature } of checks) {
    for (const part of [publicKey, message, signature]) {
      view.setUint32(lengthAt, part.length, true);
      lengthAt += 4;
      out.set(part, at);
      at += part.length;
    }
  }
  return out;
}

export function unpackChecks(packed: Uint8Array): SignatureCheck[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const count = view.getUint32(0, true);
  const checks: SignatureCheck[] = [];
  let at = HEADER_BYTES + count * LENGTHS_BYTES;
  let lengthAt = HEADER_BYTES;
  const next = (): Uint8Array => {
    const end = at + view.getUint32(lengthAt, true);
    lengthAt += 4;
    const part = packed.subarray(at, end);
    at = end;
    return part;
  };
  for (let i = 0; i < count; i++) {
    checks.push({ publicKey: next(), message: next(), signature: next() });
  }
  return checks;
}
