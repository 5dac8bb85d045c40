/** Accounts that no key signs for (spec/wire.md, "Addresses"; book, chapter 11, "System"). */
import { poseidon2 } from '../crypto/index.ts';
import { type Address, toAddress } from '../types/index.ts';

const systemAddress = (name: string): Address =>
  toAddress(poseidon2(new TextEncoder().encode(name)));

/** Takes its share of every fee and all remainders. */
export const TREASURY_ADDRESS: Address = systemAddress('pyde-treasury');
/** Collects what validators are paid from. */
export const REWARD_POOL_ADDRESS: Address = systemAddress('pyde-reward-pool');
