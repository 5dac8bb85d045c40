/**
 * Scores and bans as they are kept across restarts:
 * { version u8, peers Vec<{ name String, milli u32, bans u8, remaining_ms u32 }>, hosts Vec<same> }.
 * The file may be anybody's, so it is read as hostile.
 */
import { type BorshReader, type BorshWriter, decodeExactly, encode } from '../bytes/index.ts';
import { netError } from './error.ts';

export interface StoredScore {
  /** Peer id, or host. */
  readonly name: string;
  /** Thousandths of a point, when it was written. */
  readonly milli: number;
  readonly bans: number;
  /** Of the ban in force; 0 without one. */
  readonly remainingMs: number;
}

export interface StoredScores {
  readonly peers: readonly StoredScore[];
  readonly hosts: readonly StoredScore[];
}

export const MAX_STORED_SCORES = 4_096;

const VERSION = 1;
const MAX_NAME_BYTES = 64;
const LEAST_SCORE_BYTES = 14;
const NAME = /^[!-~]+$/;

export const encodeScores = ({ peers, hosts }: StoredScores): Uint8Array =>
  encode((w) => w.u8(VERSION).vec(peers, writeScore).vec(hosts, writeScore));

/** @throws PydeError `net.store`, `borsh.*` */
export const decodeScores = (bytes: Uint8Array): StoredScores =>
  decodeExactly(bytes, (r) => {
    const version = r.u8();
    if (version !== VERSION) {
      throw netError('net.store', `stored scores have version ${VERSION}, not ${version}`);
    }
    return {
      peers: r.vec(MAX_STORED_SCORES, LEAST_SCORE_BYTES, readScore),
      hosts: r.vec(MAX_STORED_SCORES, LEAST_SCORE_BYTES, readScore),
    };
  });

function writeScore(writer: BorshWriter, { name, milli, bans, remainingMs }: StoredScore): void {
  writer.string(name).u32(milli).u8(bans).u32(remainingMs);
}

function readScore(reader: BorshReader): StoredScore {
  const name = reader.string(MAX_NAME_BYTES);
  if (!NAME.test(name)) throw netError('net.store', 'a stored score names a peer or a host');
  return { name, milli: reader.u32(), bans: reader.u8(), remainingMs: reader.u32() };
}
