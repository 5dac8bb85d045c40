/**
 * The state as a whole, for nodes that start late and for tools that copy a devnet. Describing a
 * state reads all of it: one description is kept and given out until it is old.
 */
import { toHex, toQuantity } from '../../bytes/index.ts';
import { describeSnapshot, encodeSnapshot, type SnapshotManifest } from '../../state/index.ts';
import type { RpcBackend } from '../backend.ts';
import type { Json } from '../record-json.ts';
import type { MethodTable } from './method.ts';

/** The answer in base64 is a third longer. */
const MAX_SNAPSHOT_BYTES = 24 * 1024 * 1024;
/** Waves for which a description is given out again, if its state is still kept. */
const DESCRIPTION_LASTS_WAVES = 128n;

const described = new WeakMap<RpcBackend, SnapshotManifest>();

export const snapshotMethods: MethodTable = {
  pyde_getSnapshotManifest: {
    params: [],
    run: (backend) => manifestJson(currentManifest(backend)),
  },
  pyde_getSnapshot: {
    params: [],
    run: (backend) =>
      toBase64(
        encodeSnapshot(backend.state, currentManifest(backend).version, {
          maxBytes: MAX_SNAPSHOT_BYTES,
        }),
      ),
  },
};

/** Of the newest certified wave, so that whoever loads it can check the root. */
function currentManifest(backend: RpcBackend): SnapshotManifest {
  const known = described.get(backend);
  const newest = backend.certifiedHead() ?? 0n;
  if (
    known !== undefined &&
    known.version + DESCRIPTION_LASTS_WAVES > newest &&
    backend.state.rootAt(known.version) !== undefined
  ) {
    return known;
  }
  const manifest = describeSnapshot(backend.state, newest);
  described.set(backend, manifest);
  return manifest;
}

function manifestJson(manifest: SnapshotManifest): Json {
  return {
    wave_id: toQuantity(manifest.version),
    state_root: toHex(manifest.root.blake3),
    chunk_size: manifest.chunkBytes,
    chunk_count: manifest.chunkHashes.length,
    chunk_hashes: manifest.chunkHashes.map((hash) => toHex(hash)),
    total_keys: Number(manifest.totalKeys),
  };
}

const BASE64 = new TextEncoder().encode(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
);
const PAD = 0x3d;

/** RFC 4648 §4, padded; no encoder is at hand in every host. */
export function toBase64(bytes: Uint8Array): string {
  const out = new Uint8Array(4 * Math.ceil(bytes.length / 3)).fill(PAD);
  for (let at = 0, to = 0; at < bytes.length; at += 3, to += 4) {
    const left = bytes.length - at;
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    out[to] = BASE64[bits >> 18] ?? 0;
    out[to + 1] = BASE64[(bits >> 12) & 63] ?? 0;
    if (left > 1) out[to + 2] = BASE64[(bits >> 6) & 63] ?? 0;
    if (left > 2) out[to + 3] = BASE64[bits & 63] ?? 0;
  }
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(out);
}
