/** `otigen util`: small computations on bytes; no node, no keystore. */
import { type CommandEntry, type DefineCommand, defineCommands } from '../program.ts';

const ACTIONS: readonly CommandEntry[] = [
  { name: 'hash', summary: 'hash bytes', load: () => import('./util/hash.ts') },
  { name: 'address', summary: 'address of a public key', load: () => import('./util/address.ts') },
  { name: 'tx', summary: 'decode and hash a transaction', load: () => import('./util/tx.ts') },
  { name: 'verify', summary: 'verify a signature', load: () => import('./util/verify.ts') },
];

export const define: DefineCommand = (command, cli, rest) =>
  defineCommands(command, ACTIONS, rest, cli);
