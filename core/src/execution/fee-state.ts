/** The base fee and the money supply as the state keeps them (docs/protocol/encoding.md). */
import { decodeExactly, encode, invariant } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { type Overlay, STATE_KIND, type StateKey, type StateReader } from '../state/index.ts';
import type { Quanta } from '../types/index.ts';
import { chargedBaseFee } from './base-fee.ts';

export interface FeeState {
  /** The base fee in quanta × 2³². */
  readonly baseFeeScaled: bigint;
  /** All quanta ever burned. */
  readonly burned: bigint;
  /** All quanta ever issued after genesis. */
  readonly issued: bigint;
  readonly genesisSupply: bigint;
}

export const FEE_STATE_KEY: StateKey = {
  kind: STATE_KIND.system,
  owner: blake3(new TextEncoder().encode('pyde/system/fees')),
  slot: new Uint8Array(32),
};

export function encodeFeeState(fees: FeeState): Uint8Array {
  return encode((w) =>
    w.u128(fees.baseFeeScaled).u128(fees.burned).u128(fees.issued).u128(fees.genesisSupply),
  );
}

/** @throws PydeError `borsh.*` */
export function decodeFeeState(bytes: Uint8Array): FeeState {
  return decodeExactly(bytes, (r) => ({
    baseFeeScaled: r.u128(),
    burned: r.u128(),
    issued: r.u128(),
    genesisSupply: r.u128(),
  }));
}

/** The state's own record; genesis wrote it. */
export function readFeeState(reader: StateReader): FeeState {
  const bytes = reader.get(FEE_STATE_KEY);
  invariant(bytes !== undefined, 'genesis wrote the fee state');
  return decodeFeeState(bytes);
}

/** Quanta a unit of gas that the next wave charges. */
export function currentBaseFee(reader: StateReader): Quanta {
  return chargedBaseFee(readFeeState(reader).baseFeeScaled);
}

export function writeFeeState(overlay: Overlay, fees: FeeState): void {
  overlay.set(FEE_STATE_KEY, encodeFeeState(fees));
}
