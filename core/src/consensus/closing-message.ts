/**
 * The messages with which the certificate of a closing wave goes round (docs/protocol/consensus.md,
 * "Messages"): want-closing { epoch u64 } asks for the one that closed an epoch, closing is the
 * certificate itself.
 */
import { decodeExactly, encode } from '../bytes/index.ts';
import { encodeCert } from '../finality/index.ts';
import {
  type Epoch,
  exactNumber,
  type HardFinalityCert,
  readHardFinalityCert,
  toEpoch,
} from '../types/index.ts';

export const encodeWantClosing = (epoch: Epoch): Uint8Array => encode((w) => w.u64(BigInt(epoch)));

/** @throws PydeError `borsh.*`, `types.range` */
export const decodeWantClosing = (bytes: Uint8Array): Epoch =>
  decodeExactly(bytes, (r) => toEpoch(exactNumber(r.u64(), 'epoch')));

export const encodeClosing = (cert: HardFinalityCert): Uint8Array => encodeCert(cert);

/** Whether it holds is asked by whoever knows the committee. @throws PydeError */
export const decodeClosing = (bytes: Uint8Array): HardFinalityCert =>
  decodeExactly(bytes, readHardFinalityCert);
