/**
 * What a key has signed, in short, and what a node that takes the key over refuses because of it
 * (docs/operators/keys.md, "Moving a validator"). The mark names the newest own vertex and the newest
 * wave that may be attested; whoever imports it makes no vertex at or below the one, and attests no
 * wave below the other, nor that wave with another result.
 *
 * A mark only ever adds to the rule of recovery: a store that takes one over counts as lost, so that
 * its member asks the others what it made before it makes anything.
 *
 * In table consensus: "floor" → { import id [32], epoch u64, round u64, wave id u64,
 * digest option<[32]> }.
 */
import {
  type BorshReader,
  type BorshWriter,
  concatBytes,
  decodeExactly,
  encode,
  equalBytes,
  readU64BigEndian,
} from '../bytes/index.ts';
import type { KeyValueStore, Random, StoreWrite, VerifySignatures } from '../platform/index.ts';
import { TABLE, Table } from '../state/index.ts';
import {
  type Epoch,
  exactNumber,
  type FalconPublicKey,
  HASH_BYTES,
  type Hash,
  toEpoch,
  toHash,
  toWaveId,
  type WaveCommitRecord,
  type WaveId,
  waveDigest,
} from '../types/index.ts';
import { ConsensusRecords, OWN_KEY } from './records.ts';
import { StandingRecords } from './standing-records.ts';

export interface SigningMark {
  /** Of the newest own vertex. */
  readonly epoch: Epoch;
  /** Of the newest own vertex; 0 when none was made in that epoch. */
  readonly round: number;
  /** No wave above it was attested. */
  readonly waveId: WaveId;
  /** What may have been attested of that wave. */
  readonly digest: Hash | undefined;
}

/** A mark that came with a key. */
export interface ImportedMark {
  /** Drawn at the export: a store takes each over once. */
  readonly id: Hash;
  readonly mark: SigningMark;
}

const FLOOR_KEY = new TextEncoder().encode('floor');

export function writeSigningMark(writer: BorshWriter, mark: SigningMark): void {
  writer
    .u64(BigInt(mark.epoch))
    .u64(BigInt(mark.round))
    .u64(mark.waveId)
    .option(mark.digest, (w, digest) => w.fixed(digest));
}

/** @throws PydeError `borsh.*` */
export function readSigningMark(reader: BorshReader): SigningMark {
  return {
    epoch: toEpoch(exactNumber(reader.u64(), 'epoch')),
    round: exactNumber(reader.u64(), 'round'),
    waveId: toWaveId(reader.u64()),
    digest: reader.option((r) => toHash(r.fixed(HASH_BYTES))),
  };
}

/** The mark that this store took over last; undefined when it took none. @throws when damaged */
export function readFloor(store: KeyValueStore): ImportedMark | undefined {
  const bytes = new Table(store, TABLE.consensus).get(FLOOR_KEY);
  if (bytes === undefined) return undefined;
  return decodeExactly(bytes, (r) => ({
    id: toHash(r.fixed(HASH_BYTES)),
    mark: readSigningMark(r),
  }));
}

/**
 * Makes the store one that may lack what its member made, with the mark as its floor; both in one
 * synced write, before anything is signed. Of a mark that it took over already nothing is done.
 */
export async function takeOver(
  store: KeyValueStore,
  random: Random,
  imported: ImportedMark,
): Promise<void> {
  const floor = readFloor(store);
  if (floor !== undefined && equalBytes(floor.id, imported.id)) return;
  const mark = floor === undefined ? imported.mark : higherMark(floor.mark, imported.mark);
  const records = new StandingRecords(store);
  const id = records.store()?.id ?? toHash(random.bytes(HASH_BYTES));
  const writes: StoreWrite[] = [
    records.putStore({ standing: 'lost', id }),
    new Table(store, TABLE.consensus).put(
      FLOOR_KEY,
      encode((w) => {
        w.fixed(imported.id);
        writeSigningMark(w, mark);
      }),
    ),
  ];
  await store.batch(writes, { sync: true });
}

/**
 * What the key of this store's member has signed so far.
 * @param head the newest executed wave: no later one is attested, but for those that a crash took
 *   from the state and not from the vertices
 * @returns undefined for a store whose member has signed nothing
 * @throws PydeError `state.checksum`, `borsh.*` when a record is damaged
 */
export async function signingMark(
  store: KeyValueStore,
  head: WaveCommitRecord,
): Promise<SigningMark | undefined> {
  const floor = readFloor(store)?.mark;
  const epoch = await newestOwnEpoch(store);
  const isLost = new StandingRecords(store).store()?.standing === 'lost';
  if (epoch === undefined && floor === undefined && !isLost) return undefined;
  const records = new ConsensusRecords(store, epoch ?? head.epoch);
  const own = records.own();
  let mark: SigningMark = {
    epoch: epoch ?? head.epoch,
    round: own?.round ?? 0,
    waveId: head.waveId,
    digest: waveDigest(head),
  };
  if (own !== undefined) {
    const vertices = await records.vertices();
    const author = vertices.find(({ name }) => equalBytes(name, own.name))?.vertex.author;
    for (const { vertex } of vertices) {
      if (vertex.author !== author) continue;
      for (const { waveId, digest } of vertex.attestations) {
        if (waveId > mark.waveId) mark = { ...mark, waveId, digest };
      }
    }
  }
  return floor === undefined ? mark : higherMark(floor, mark);
}

/**
 * Did this key sign the newest own vertex here? A mark of another key's store says nothing of it.
 * Undefined when the store has no own vertex to tell by.
 */
export async function hasSignedHere(
  store: KeyValueStore,
  publicKey: FalconPublicKey,
  verify: VerifySignatures,
): Promise<boolean | undefined> {
  const epoch = await newestOwnEpoch(store);
  if (epoch === undefined) return undefined;
  const records = new ConsensusRecords(store, epoch);
  const own = records.own();
  for (const { name, vertex } of own === undefined ? [] : await records.vertices()) {
    if (own === undefined || !equalBytes(name, own.name)) continue;
    return verify([{ publicKey, message: name, signature: vertex.signature }])[0] === true;
  }
  return undefined;
}

/** May `digest` be attested for `waveId` above this mark? */
export function mayAttest(
  mark: SigningMark | undefined,
  waveId: WaveId,
  digest: Uint8Array,
): boolean {
  if (mark === undefined || waveId > mark.waveId) return true;
  return waveId === mark.waveId && mark.digest !== undefined && equalBytes(digest, mark.digest);
}

/** Of vertices and of attestations the higher each. */
export function higherMark(a: SigningMark, b: SigningMark): SigningMark {
  const vertex = a.epoch > b.epoch || (a.epoch === b.epoch && a.round > b.round) ? a : b;
  const wave = a.waveId > b.waveId ? a : b;
  return { epoch: vertex.epoch, round: vertex.round, waveId: wave.waveId, digest: wave.digest };
}

async function newestOwnEpoch(store: KeyValueStore): Promise<Epoch | undefined> {
  const table = new Table(store, TABLE.consensus);
  const last = concatBytes(OWN_KEY, new Uint8Array(8).fill(0xff));
  const range = { prefix: OWN_KEY, until: last, reverse: true, limit: 1 };
  for await (const [key] of table.range(range)) {
    return toEpoch(exactNumber(readU64BigEndian(key.slice(OWN_KEY.length)), 'epoch'));
  }
  return undefined;
}
