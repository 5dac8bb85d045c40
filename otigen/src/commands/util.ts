/** `otigen util`: small computations on bytes; no node, no keystore. */
import { type CommandEntry, type DefineCommand, defineCommands } from '../program.ts';

const ACTIONS: readonly CommandEntry[] = [
  {
    name: 'hash',
    summary: 'hash bytes',
    examples: ['util hash blake3 0x00', 'util hash poseidon2 - < bytes.hex'],
    load: () => import('./util/hash.ts'),
  },
  {
    name: 'address',
    summary: 'address of a public key',
    examples: ['util address 0x09…'],
    load: () => import('./util/address.ts'),
  },
  {
    name: 'tx',
    summary: 'decode and hash a transaction',
    examples: ['util tx 0xf078…', 'util tx - < transaction.hex'],
    load: () => import('./util/tx.ts'),
  },
  {
    name: 'verify',
    summary: 'verify a signature',
    examples: ['util verify --pubkey 0x09… --message hello --signature 0x39…'],
    load: () => import('./util/verify.ts'),
  },
];

export const define: DefineCommand = (command, cli, rest) =>
  defineCommands(command, ACTIONS, rest, cli);
