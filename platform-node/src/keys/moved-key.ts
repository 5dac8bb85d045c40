/**
 * A key that leaves its node takes along what it signed (docs/operators/keys.md, "Moving a
 * validator"): the mark is read from the node's own store, so the node must be stopped.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes, PydeError, toHex } from '@pyde/core/bytes';
import { hasSignedHere, higherMark, type ImportedMark, signingMark } from '@pyde/core/consensus';
import { falconVerifyBatch } from '@pyde/core/crypto';
import { readGenesisOf, readHeadWave } from '@pyde/core/execution';
import type { Random } from '@pyde/core/platform';
import { type Genesis, genesisHash, HASH_BYTES, toFalconPublicKey, toHash } from '@pyde/core/types';
import { LevelStore } from '../store/level-store.ts';
import type { SignedElsewhere } from './key-file.ts';

export type MovedKeyErrorCode =
  | 'keys.no-chain'
  | 'keys.nothing-signed'
  | 'keys.other-chain'
  | 'keys.other-key'
  | 'keys.no-validator';

/**
 * What the key signed on the node of this folder, and before it came there.
 * @param folder of the node, or the database in it
 * @param before came with the key: the node may never have been started with it
 * @throws PydeError `keys.no-chain`, `keys.no-validator`, `keys.other-chain`, `keys.other-key`,
 *   `keys.nothing-signed`, `store.locked` while the node runs
 */
export async function signedBy(
  folder: string,
  publicKey: Uint8Array,
  random: Random,
  before?: SignedElsewhere,
): Promise<SignedElsewhere> {
  const database = [join(folder, 'db'), folder].find((path) => existsSync(join(path, 'CURRENT')));
  if (database === undefined) throw noChain(folder);
  const store = await LevelStore.open(database);
  try {
    const genesis = readGenesisOf(store);
    const head = readHeadWave(store);
    if (genesis === undefined || head === undefined) throw noChain(folder);
    if (!genesis.validators.some((validator) => equalBytes(validator.publicKey, publicKey))) {
      throw new PydeError<MovedKeyErrorCode>(
        'keys.no-validator',
        `the key is no validator's on the chain in ${folder}; name the folder of its own node`,
        { folder },
      );
    }
    if ((await hasSignedHere(store, toFalconPublicKey(publicKey), falconVerifyBatch)) === false) {
      throw new PydeError<MovedKeyErrorCode>(
        'keys.other-key',
        `the node in ${folder} signed with another key; name the folder of this key's own node`,
        { folder },
      );
    }
    const earlier = markFor(genesis, before)?.mark;
    const here = await signingMark(store, head.record);
    const mark = earlier && here ? higherMark(earlier, here) : (here ?? earlier);
    if (mark === undefined) {
      throw new PydeError<MovedKeyErrorCode>(
        'keys.nothing-signed',
        `the node in ${folder} has signed nothing; name the folder of the node that used the key, ` +
          'or say --unused for a key that has never signed',
        { folder },
      );
    }
    return { id: toHash(random.bytes(HASH_BYTES)), chain: toHash(genesisHash(genesis)), mark };
  } finally {
    await store.close();
  }
}

/**
 * What a node of `genesis` takes over with the key.
 * @throws PydeError `keys.other-chain` when the key signed on another chain
 */
export function markFor(
  genesis: Genesis,
  signed: SignedElsewhere | undefined,
): ImportedMark | undefined {
  if (signed === undefined) return undefined;
  const chain = genesisHash(genesis);
  if (equalBytes(signed.chain, chain)) return { id: signed.id, mark: signed.mark };
  throw new PydeError<MovedKeyErrorCode>(
    'keys.other-chain',
    `the key was exported from a node of another chain (genesis ${toHex(signed.chain)}) than this ` +
      `one (${toHex(chain)}); use a key of its own for each chain`,
  );
}

function noChain(folder: string): PydeError<MovedKeyErrorCode> {
  return new PydeError(
    'keys.no-chain',
    `${folder} holds no chain; name the folder of the node that used the key, or say --unused for ` +
      'a key that has never signed',
    { folder },
  );
}
