/** Why a message of another member is refused, and what can be wrong with a member's own store. */
import { PydeError } from '../bytes/index.ts';

export type ConsensusErrorCode =
  | 'consensus.message'
  | 'consensus.chain-id'
  | 'consensus.epoch'
  | 'consensus.author'
  | 'consensus.round'
  | 'consensus.parent-author'
  | 'consensus.parent-order'
  | 'consensus.parent-quorum'
  | 'consensus.weak-parent-author'
  | 'consensus.weak-parent-round'
  | 'consensus.batch-bytes'
  | 'consensus.signature'
  | 'consensus.own-vertex'
  | 'consensus.second-vertex'
  | 'consensus.round-too-low'
  | 'consensus.round-too-high'
  | 'consensus.buffer-full'
  | 'consensus.nonce'
  | 'consensus.store';

export const consensusError = (
  code: ConsensusErrorCode,
  message: string,
  details: Readonly<Record<string, number | string>> = {},
): PydeError<ConsensusErrorCode> => new PydeError(code, message, details);
