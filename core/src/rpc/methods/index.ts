/** The table of all methods that one request can call (spec/rpc.md); subscriptions are beside it. */
import { accountMethods } from './account.ts';
import { chainMethods } from './chain.ts';
import { logMethods } from './log.ts';
import { later, type MethodTable, type RpcMethod } from './method.ts';
import { peerMethods } from './peers.ts';
import { proofMethods } from './proof.ts';
import { roundMethods } from './rounds.ts';
import { simulationMethods } from './simulate.ts';
import { snapshotMethods } from './snapshot.ts';
import { traceMethods } from './trace.ts';
import { transactionMethods } from './transaction.ts';
import { waveMethods } from './wave.ts';

export { type LogFilter, readLogSubscription } from './log.ts';
export type { RpcMethod } from './method.ts';

const table: MethodTable = {
  ...chainMethods,
  ...peerMethods,
  ...accountMethods,
  ...waveMethods,
  ...transactionMethods,
  ...proofMethods,
  ...roundMethods,
  ...logMethods,
  ...simulationMethods,
  ...snapshotMethods,
  ...traceMethods,
  pyde_getSealKeys: later('pyde_getSealKeys', 'this version seals no transactions'),
};

export const METHODS: ReadonlyMap<string, RpcMethod> = new Map(Object.entries(table));

/** Transactions of one batch are admitted in its order and acknowledged together. */
export function mayOverlap(method: unknown): boolean {
  return typeof method === 'string' && METHODS.get(method)?.overlaps === true;
}
