/**
 * `pyde_getRounds`: the vertices of the DAG as this node stores them, with what the committed waves
 * say about each round's anchor. Rounds are those of the newest wave's epoch; each epoch counts its
 * own.
 */
import {
  concatBytes,
  PydeError,
  readU64BigEndian,
  toHex,
  toQuantity,
  u64BigEndian,
} from '../../bytes/index.ts';
import { readWaveRecord } from '../../execution/index.ts';
import { TABLE, Table } from '../../state/index.ts';
import { decodeVertex, toHash, type Vertex } from '../../types/index.ts';
import type { RpcBackend } from '../backend.ts';
import { badParams, type RpcErrorCode } from '../error.ts';
import { readNumber } from '../params.ts';
import type { Json } from '../record-json.ts';
import type { MethodTable } from './method.ts';

/** spec/rpc.md. */
const MAX_ROUNDS = 200;
/** A large committee fills the answer before 200 rounds are through. */
const MAX_VERTICES = 4_096;
/** A key is epoch ‖ round ‖ author ‖ name. */
const EPOCH_BYTES = 8;
const NAME_BYTES = 32;

export const roundMethods: MethodTable = {
  pyde_getRounds: {
    params: ['from', 'to'],
    run: async (backend, [first, last]) => {
      const from = readNumber(first, 'from', 0, Number.MAX_SAFE_INTEGER - 1);
      const to = readNumber(last, 'to', 0, Number.MAX_SAFE_INTEGER - 1);
      if (to < from || to - from >= MAX_ROUNDS) {
        throw badParams(`to must be from ${from} to ${from + MAX_ROUNDS - 1}, got ${to}`);
      }
      await requireKept(backend, from);
      return roundsJson(backend, from, to);
    },
  },
};

async function roundsJson(backend: RpcBackend, from: number, to: number): Promise<Json> {
  const committed = committedAnchors(backend, from, to);
  const { epoch, anchorRound: decidedUpTo } = backend.head();
  const place = u64BigEndian(BigInt(epoch));
  const vertices: Json[] = [];
  const range = new Table(backend.store, TABLE.vertices).range({
    from: concatBytes(place, u64BigEndian(BigInt(from))),
    until: concatBytes(place, u64BigEndian(BigInt(to) + 1n)),
    limit: MAX_VERTICES + 1,
  });
  for await (const [key, bytes] of range) {
    if (vertices.length === MAX_VERTICES) throw tooMany(from, to);
    const name = toHex(key.subarray(-NAME_BYTES));
    const vertex = decodeVertex(bytes);
    const anchor = backend.anchorOf(vertex.epoch, vertex.round) === vertex.author;
    const decision = (): string => {
      if (committed.has(name)) return 'committed';
      return vertex.round <= decidedUpTo ? 'skipped' : 'undecided';
    };
    vertices.push(vertexJson(backend, vertex, name, anchor, anchor ? decision() : null));
  }
  return vertices;
}

/** Round 0 holds no vertices. @throws PydeError `rpc.wave-pruned` naming the oldest round kept */
async function requireKept(backend: RpcBackend, from: number): Promise<void> {
  const prefix = u64BigEndian(BigInt(backend.head().epoch));
  for await (const [key] of new Table(backend.store, TABLE.vertices).range({ prefix, limit: 1 })) {
    const oldest = Number(readU64BigEndian(key, EPOCH_BYTES));
    if (Math.max(from, 1) >= oldest) return;
    throw new PydeError<RpcErrorCode>(
      'rpc.wave-pruned',
      `the vertices of round ${from} are no longer kept here; ask from round ${oldest}, the ` +
        'oldest that is kept',
      { from, oldest },
    );
  }
}

function vertexJson(
  backend: RpcBackend,
  vertex: Vertex,
  name: string,
  anchor: boolean,
  decision: string | null,
): Json {
  const voted = backend.anchorOf(vertex.epoch, vertex.round - 1);
  const vote = vertex.parents.find(({ author }) => author === voted);
  return {
    round: toQuantity(vertex.round),
    author: vertex.author,
    name,
    timestamp: toQuantity(vertex.timestampMs),
    parents: vertex.parents.map((parent) => ({ author: parent.author, name: toHex(parent.name) })),
    weak_parents: vertex.weakParents.map((parent) => ({
      round: toQuantity(parent.round),
      author: parent.author,
      name: toHex(parent.name),
    })),
    batches: vertex.batches.map(({ hash, bytes, count }) => ({ hash: toHex(hash), bytes, count })),
    votes: vote === undefined ? null : toHex(vote.name),
    anchor,
    decision,
  };
}

/** Names of the anchors that waves committed in these rounds; both grow within an epoch. */
function committedAnchors(backend: RpcBackend, from: number, to: number): ReadonlySet<string> {
  const names = new Set<string>();
  const { epoch } = backend.head();
  let low = 1n;
  let high: bigint = backend.head().waveId;
  while (low <= high) {
    const middle = (low + high) / 2n;
    const record = readWaveRecord(backend.store, middle);
    // A wave that is no longer kept lies below every one that is.
    const isBelow = record === undefined || record.epoch < epoch || record.anchorRound < from;
    if (isBelow) low = middle + 1n;
    else high = middle - 1n;
  }
  for (let waveId = low; waveId <= backend.head().waveId; waveId++) {
    const record = readWaveRecord(backend.store, waveId);
    if (record === undefined || record.anchorRound > to) break;
    names.add(toHex(toHash(record.anchorHash)));
  }
  return names;
}

function tooMany(from: number, to: number): PydeError<RpcErrorCode> {
  return new PydeError(
    'rpc.range',
    `rounds ${from} to ${to} hold more than ${MAX_VERTICES} vertices; ask for fewer rounds`,
    { from, to, maxVertices: MAX_VERTICES },
  );
}
