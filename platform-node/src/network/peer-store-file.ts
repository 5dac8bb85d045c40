/**
 * Peers and bans between two runs of a node: one file in its folder, written beside and renamed over,
 * so that it is the old one or the new one whatever happens. What is read may be anybody's: its size
 * is looked at first, and book and scores check what is in them.
 *
 *     version u8 ‖ first 8 bytes of Blake3(rest) ‖ rest: book Bytes ‖ scores Bytes
 */
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { BorshReader, encode, equalBytes, PydeError } from '@pyde/core/bytes';
import { blake3 } from '@pyde/core/crypto';

export interface StoredPeers {
  /** Of `PeerBook.encode`. */
  readonly book: Uint8Array;
  /** Of `PeerScores.encode`. */
  readonly scores: Uint8Array;
}

const VERSION = 1;
const SUM_BYTES = 8;
const MAX_PART_BYTES = 8 * 1024 * 1024;
const MAX_FILE_BYTES = 1 + SUM_BYTES + 2 * (4 + MAX_PART_BYTES);

/** Undefined when there is no file yet. @throws PydeError `network.peers-file` */
export async function readPeerStore(path: string): Promise<StoredPeers | undefined> {
  const bytes = await fileBytes(path);
  if (bytes === undefined) return undefined;
  try {
    const reader = new BorshReader(bytes);
    const version = reader.u8();
    if (version !== VERSION) throw new Error(`it has version ${version}, not ${VERSION}`);
    const sum = reader.fixed(SUM_BYTES);
    if (!equalBytes(sum, checksum(bytes.subarray(1 + SUM_BYTES)))) {
      throw new Error('its checksum is wrong');
    }
    const book = reader.bytes(MAX_PART_BYTES);
    const scores = reader.bytes(MAX_PART_BYTES);
    reader.end();
    return { book, scores };
  } catch (error) {
    throw unusable(path, error);
  }
}

/** On disk when it resolves. */
export async function writePeerStore(path: string, stored: StoredPeers): Promise<void> {
  const rest = encode((w) => w.bytes(stored.book).bytes(stored.scores));
  const bytes = encode((w) => w.u8(VERSION).fixed(checksum(rest)).fixed(rest));
  const beside = `${path}.new`;
  try {
    const file = await open(beside, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

async function fileBytes(path: string): Promise<Uint8Array | undefined> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) throw new Error(`it has ${size} bytes`);
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): PydeError {
  const reason = error instanceof Error ? error.message : String(error);
  return new PydeError(
    'network.peers-file',
    `${path} cannot be used: ${reason}; without it peers are found by seeds again`,
    { path },
  );
}

const checksum = (bytes: Uint8Array): Uint8Array => blake3(bytes).subarray(0, SUM_BYTES);
