export {
  STATE_KEY_BYTES,
  STATE_KIND,
  type StateKey,
  type StateKind,
  stateKeyBytes,
  stateKeyFromBytes,
  treeKey,
} from './key.ts';
export { Overlay, type StateChange, type StateReader } from './overlay.ts';
export {
  decodeStateProof,
  encodeStateProof,
  MAX_PROOF_BYTES,
  type StateClaim,
  type StateProof,
  type StateProofErrorCode,
  verifyStateProof,
} from './proof.ts';
export { type RecomputedRoot, recomputeRoot } from './recompute-root.ts';
export {
  decodeSnapshot,
  describeSnapshot,
  encodeSnapshot,
  loadSnapshot,
  type Snapshot,
  type SnapshotManifest,
} from './snapshot.ts';
export { type PreparedState, StateStore, type StateStoreOptions } from './state-store.ts';
export { TABLE, Table, type TableRange } from './table.ts';
