/**
 * The example bytes of docs/protocol/encoding-state.md: two waves of a small state, and everything
 * that the store holds after them.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import vectors from '../../vectors/encoding-state.json' with { type: 'json' };
import { fromHex, toHex } from '../bytes/index.ts';
import { MemoryStore } from '../platform/index.ts';
import { type StateKey, stateKeyBytes, stateKeyFromBytes, treeKey } from './key.ts';
import { decodeStateProof, encodeStateProof, verifyStateProof } from './proof.ts';
import { decodeSnapshot, encodeSnapshot, loadSnapshot } from './snapshot.ts';
import { StateStore } from './state-store.ts';
import { sealRecord } from './table.ts';
import { hashInner, hashLeaf, hashValue, type NodeHash } from './tree-hash.ts';

const page = readFileSync(
  new URL('../../../docs/protocol/encoding-state.md', import.meta.url),
  'utf8',
);
const bytes = (hex: string) => fromHex(hex, { maxBytes: 1 << 16 });
const keyOf = (hex: string): StateKey => stateKeyFromBytes(bytes(hex));
const hexes = ({ blake3, poseidon2 }: NodeHash) => ({
  blake3: toHex(blake3),
  poseidon2: toHex(poseidon2),
});

const store = new MemoryStore();
const state = StateStore.open(store);

beforeAll(async () => {
  for (const { version, changes } of vectors['Tree records'].waves) {
    const prepared = state.prepare(
      BigInt(version),
      changes.map(({ key, value }) => ({
        key: keyOf(key),
        value: value === null ? undefined : bytes(value),
      })),
    );
    await store.batch(prepared.writes);
    state.adopt(prepared);
  }
});

describe('the encodings of the state', () => {
  it('have example bytes for every section of the page', () => {
    const sections = [...page.matchAll(/^## (.*)$/gm)].map(([, name]) => name);
    expect(Object.keys(vectors)).toEqual(sections);
  });

  it('of keys', () => {
    for (const { kind, owner, slot, stateKey, treeKey: expected } of vectors.Keys) {
      const key = keyOf(stateKey);
      expect([key.kind, toHex(key.owner), toHex(key.slot)]).toEqual([kind, owner, slot]);
      expect(toHex(stateKeyBytes(key))).toBe(stateKey);
      expect(toHex(treeKey(key))).toBe(expected);
    }
  });

  it('of hashes', () => {
    for (const { value, valueHash, treeKey, leaf } of vectors.Hashes.leaves) {
      const found = hashValue(bytes(value));
      expect(hexes(found)).toEqual(valueHash);
      expect(hexes(hashLeaf(bytes(treeKey), found))).toEqual(leaf);
    }
    const [left, right] = vectors.Hashes.leaves.map(({ leaf }) => ({
      blake3: bytes(leaf.blake3),
      poseidon2: bytes(leaf.poseidon2),
    }));
    if (left === undefined || right === undefined) throw new Error('two leaves are needed');
    expect(hexes(hashInner(left, right))).toEqual(vectors.Hashes.inner);
  });

  it('of proofs', () => {
    const ends = vectors.Proof.map(({ key, value, version, proof: encoded, root }) => {
      const trusted = state.rootAt(BigInt(version));
      if (trusted === undefined) throw new Error('the version is kept');
      expect(hexes(trusted)).toEqual(root);
      const proof = decodeStateProof(bytes(encoded));
      expect(toHex(encodeStateProof(state.prove(keyOf(key), BigInt(version))))).toBe(encoded);
      const claimed = value === null ? undefined : bytes(value);
      verifyStateProof({ root: trusted, key: keyOf(key), value: claimed, proof });
      return proof.end.kind;
    });
    expect(ends).toEqual(['present', 'empty', 'other-leaf']);
  });

  it('of records', () => {
    for (const { key, value, record } of vectors.Record) {
      expect(toHex(sealRecord(bytes(key), bytes(value)))).toBe(record);
    }
  });

  it('of everything that two waves leave in the store', async () => {
    const found: { key: string; record: string }[] = [];
    for (const prefix of [0x01, 0x02, 0x03, 0x40]) {
      for await (const [key, record] of store.range({ prefix: Uint8Array.of(prefix) })) {
        found.push({ key: toHex(key), record: toHex(record) });
      }
    }
    const flat = vectors['Flat record'];
    expect(found).toEqual([...flat, ...vectors['Tree records'].records]);
  });

  it('of snapshots', async () => {
    const { version, file } = vectors.Snapshot;
    const made = encodeSnapshot(state, BigInt(version), { maxBytes: 1 << 16 });
    expect(toHex(made)).toBe(file);
    const fresh = new MemoryStore();
    await loadSnapshot(fresh, decodeSnapshot(bytes(file)), state.root);
    expect(StateStore.open(fresh).root).toEqual(state.root);
  });
});
