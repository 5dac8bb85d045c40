/** The chain that a simulation starts from: its validators, its accounts, its pace. */
import { eoaAddress } from '../crypto/index.ts';
import {
  type Genesis,
  type GenesisParameters,
  QUANTA_PER_PYDE,
  toAddress,
  toQuanta,
} from '../types/index.ts';
import type { SimSignatures } from './signatures.ts';

export const SIM_CHAIN_ID = 4242n;
/** When a simulated chain begins. */
export const SIM_START_MS = 1_767_225_600_000;

export interface SimPace {
  readonly minRoundDelayMs: number;
  readonly idleRoundMs: number;
  readonly gcRounds: number;
  readonly epochDurationMs: number;
}

export function simGenesis({ signers }: SimSignatures, validators: number, pace: SimPace): Genesis {
  const parameters: GenesisParameters = {
    startBaseFee: toQuanta(100n),
    gasTargetPerSecond: 200_000_000n,
    waveGasCeiling: 400_000_000n,
    burnPercent: 70,
    rewardPoolPercent: 20,
    ...pace,
  };
  const keys = signers.map(({ publicKey }) => ({
    publicKey,
    address: toAddress(eoaAddress(publicKey)),
  }));
  return {
    chainId: SIM_CHAIN_ID,
    timestampMs: BigInt(SIM_START_MS),
    parameters,
    validators: keys.slice(0, validators).map(({ address, publicKey }) => ({
      address,
      operator: address,
      publicKey,
      stake: toQuanta(10_000n * QUANTA_PER_PYDE),
    })),
    allocations: keys.slice(validators).map(({ address, publicKey }) => ({
      address,
      balance: toQuanta(1_000_000n * QUANTA_PER_PYDE),
      authKeys: { kind: 'single', key: publicKey },
    })),
    names: [],
  };
}
