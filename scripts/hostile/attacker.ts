/**
 * One attack in a process of its own: `attacker.ts ORDER` as JSON. It attacks until its standard
 * input ends, and prints what it has managed so far as a line of JSON, when it begins and then often.
 */
import { setPriority } from 'node:os';
import { toValidatorIndex } from '@pyde/core/types';
import { readGenesisFile } from '../../apps/node/src/genesis/index.ts';
import {
  ATTACKS,
  type AttackCounts,
  type AttackName,
} from '../../platform-node/src/network/testing/hostile/index.ts';
import { signerOf } from '../chaos/node-process.ts';

export interface AttackOrder {
  readonly name: AttackName;
  /** Multiaddr with the peer id. */
  readonly address: string;
  readonly genesis: string;
  readonly from: string;
  /** The validator whose handshakes are replayed, and its settings. */
  readonly recorded: { readonly validator: number; readonly config: string };
}

/** It shares the processors with those that it attacks, which a stranger would not. */
const PRIORITY = 10;
const TELL_EVERY_MS = 250;

setPriority(PRIORITY);
const order = JSON.parse(process.argv[2] ?? '') as AttackOrder;
const end = new AbortController();
process.stdin.once('close', () => end.abort()).resume();
const counts: AttackCounts = {};
const signer = await signerOf(order.recorded.config);
const genesis = await readGenesisFile(order.genesis);
const tell = (): void => {
  process.stdout.write(`${JSON.stringify(counts)}\n`);
};
tell();
setInterval(tell, TELL_EVERY_MS);
await ATTACKS[order.name](
  {
    address: order.address,
    genesis,
    from: order.from,
    recorded: {
      validator: toValidatorIndex(order.recorded.validator),
      sign: (digest) => signer.sign(digest),
    },
  },
  end.signal,
  counts,
);
tell();
process.exit(0);
