/** `otigen wallet` (OTIGEN_BINARY_SPEC §3.8): the accounts of the keystore. */
import { type CommandEntry, type DefineCommand, defineCommands } from '../program.ts';

const ACTIONS: readonly CommandEntry[] = [
  { name: 'new', summary: 'make a key pair', load: () => import('./wallet/new.ts') },
  {
    name: 'import',
    summary: 'take in a key pair, a backup or the devnet accounts',
    load: () => import('./wallet/import.ts'),
  },
  { name: 'list', summary: 'list names and addresses', load: () => import('./wallet/list.ts') },
  { name: 'show', summary: 'show one address and key', load: () => import('./wallet/show.ts') },
  {
    name: 'export',
    summary: 'write an encrypted backup of one account',
    load: () => import('./wallet/export.ts'),
  },
  { name: 'delete', summary: 'remove an account', load: () => import('./wallet/delete.ts') },
  { name: 'password', summary: 'change a password', load: () => import('./wallet/password.ts') },
  {
    name: 'register',
    summary: "put the account's key on the chain, once, before its first transaction",
    load: () => import('./wallet/register.ts'),
  },
  { name: 'sign', summary: 'sign a message', load: () => import('./wallet/sign.ts') },
  { name: 'verify', summary: 'verify a signature', load: () => import('./wallet/verify.ts') },
];

export const define: DefineCommand = (command, cli, rest) =>
  defineCommands(command, ACTIONS, rest, cli);
