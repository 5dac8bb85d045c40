/** `otigen wallet` (OTIGEN_BINARY_SPEC §3.8): the accounts of the keystore. */
import { type CommandEntry, type DefineCommand, defineCommands } from '../program.ts';

const ACTIONS: readonly CommandEntry[] = [
  {
    name: 'new',
    summary: 'make a key pair',
    examples: ['wallet new alice'],
    load: () => import('./wallet/new.ts'),
  },
  {
    name: 'import',
    summary: 'take in a key pair, a backup or the devnet accounts',
    examples: [
      'wallet import alice',
      'wallet import --from-file alice.backup.json',
      'wallet import --from-devnet',
    ],
    load: () => import('./wallet/import.ts'),
  },
  {
    name: 'list',
    summary: 'list names and addresses',
    examples: ['wallet list'],
    load: () => import('./wallet/list.ts'),
  },
  {
    name: 'show',
    summary: 'show one address and key',
    examples: ['wallet show alice'],
    load: () => import('./wallet/show.ts'),
  },
  {
    name: 'export',
    summary: 'write an encrypted backup of one account',
    examples: ['wallet export alice --out alice.backup.json'],
    load: () => import('./wallet/export.ts'),
  },
  {
    name: 'delete',
    summary: 'remove an account',
    examples: ['wallet delete alice'],
    load: () => import('./wallet/delete.ts'),
  },
  {
    name: 'password',
    summary: 'change a password',
    examples: ['wallet password alice'],
    load: () => import('./wallet/password.ts'),
  },
  {
    name: 'register',
    summary: "put the account's key on the chain, once, before its first transaction",
    examples: ['wallet register alice'],
    load: () => import('./wallet/register.ts'),
  },
  {
    name: 'sign',
    summary: 'sign a message',
    examples: ["wallet sign alice --message 'I was here'"],
    load: () => import('./wallet/sign.ts'),
  },
  {
    name: 'verify',
    summary: 'verify a signature',
    examples: ["wallet verify alice --message 'I was here' --signature 0x39…"],
    load: () => import('./wallet/verify.ts'),
  },
];

export const define: DefineCommand = (command, cli, rest) =>
  defineCommands(command, ACTIONS, rest, cli);
