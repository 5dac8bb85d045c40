/**
 * Many funded senders without their cost: FALCON keys come from the tests' cache (150 ms each the
 * first time), and a devnet is started from a state file that funds them, so that it generates
 * none.
 */
import { FALCON_SIGN_RANDOM_BYTES, falconSign } from '@pyde/core/crypto';
import { executeGenesis } from '@pyde/core/execution';
import { MemoryStore } from '@pyde/core/platform';
import { encodeSnapshot, StateStore } from '@pyde/core/state';
import { encodeTx, transferTx, txHash } from '@pyde/core/tx';
import {
  type GenesisParameters,
  toAddress,
  toFalconPublicKey,
  toNonce,
  toQuanta,
} from '@pyde/core/types';
import { systemRandom } from '@pyde/platform-node';
import { devnetAccounts } from '@pyde/platform-node/devnet';
import { type TestKey, testKey } from '../../core/src/crypto/testing.ts';

const BALANCE = toQuanta(10n ** 16n);
const MAX_SNAPSHOT_BYTES = 64 * 1024 * 1024;

export const LOAD_PARAMETERS: GenesisParameters = {
  startBaseFee: toQuanta(100n),
  gasTargetPerSecond: 200_000_000n,
  waveGasCeiling: 400_000_000n,
  burnPercent: 70,
  rewardPoolPercent: 20,
  minRoundDelayMs: 0,
  idleRoundMs: 50,
  gcRounds: 500,
  epochDurationMs: 10_800_000,
};

export const loadKeys = (count: number): TestKey[] =>
  Array.from({ length: count }, (_, i) => testKey(i));

/** Wire bytes of a transfer of one quantum on the devnet's chain. */
export function signedTransfer(from: TestKey, to: Uint8Array, nonce: number): Uint8Array {
  const tx = transferTx({
    chainId: 31337n,
    from: toAddress(from.address),
    to: toAddress(to),
    value: toQuanta(1n),
    nonce: toNonce(BigInt(nonce)),
  });
  const random = systemRandom.bytes(FALCON_SIGN_RANDOM_BYTES);
  return encodeTx({ ...tx, signature: falconSign(from.secretKey, txHash(tx), random) });
}

/** A store at wave 0 in which each key's account holds 10 million PYDE. */
export async function genesisStore(keys: readonly TestKey[]): Promise<MemoryStore> {
  const [validator] = devnetAccounts(1);
  if (validator === undefined) throw new Error('the first devnet account is a constant');
  const store = new MemoryStore();
  const publicKey = toFalconPublicKey(validator.publicKey);
  const wave = executeGenesis(
    { state: StateStore.open(store), store },
    {
      chainId: 31337n,
      timestampMs: 1n,
      parameters: LOAD_PARAMETERS,
      validators: [
        { address: validator.address, operator: validator.address, publicKey, stake: toQuanta(1n) },
      ],
      allocations: keys.map((key) => ({
        address: toAddress(key.address),
        balance: BALANCE,
        authKeys: { kind: 'single', key: toFalconPublicKey(key.publicKey) },
      })),
      names: [],
    },
  );
  await store.batch(wave.writes);
  return store;
}

/** The same as a file for `otigen devnet --load-state`. */
export async function fundedState(keys: readonly TestKey[]): Promise<Uint8Array> {
  const store = await genesisStore(keys);
  return encodeSnapshot(StateStore.open(store), 0n, { maxBytes: MAX_SNAPSHOT_BYTES });
}
