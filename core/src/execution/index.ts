export {
  type ArchivedTx,
  hasOurLayout,
  type ListedTx,
  listAccountTransactions,
  listWaveTransactions,
  MAX_TX_PAGE,
  proveTransaction,
  readGenesisOf,
  readHeadWave,
  readReceiptOf,
  readTransactionOf,
  readWaveRecord,
  readWaveTransaction,
  type TxPage,
  type TxPosition,
  type TxProof,
  txRootLeaf,
} from './archive.ts';
export { wrongSignature } from './authorize.ts';
export {
  chargedBaseFee,
  type FeeShares,
  nextScaledBaseFee,
  scaleBaseFee,
  splitFee,
  type WaveLoad,
} from './base-fee.ts';
export { closingBeacon, type HandOver } from './epoch-change.ts';
export {
  currentBaseFee,
  decodeFeeState,
  encodeFeeState,
  FEE_STATE_KEY,
  type FeeState,
  readFeeState,
} from './fee-state.ts';
export {
  adoptLoadedState,
  executeGenesis,
  type GenesisContext,
  type GenesisErrorCode,
} from './genesis.ts';
export { ARCHIVE, DEFAULT_RETENTION, Retention, type RetentionLimits } from './retention.ts';
export { type Simulation, type SimulationContext, simulateTx } from './simulate.ts';
export {
  gasBoundOf,
  maxFeeOf,
  requireBalance,
  requireRunnable,
  requireUsableNonce,
  type StandingErrorCode,
  spendOf,
} from './standing.ts';
export { assertSupply, readSupply, type Supply } from './supply.ts';
export {
  MAX_VERIFIED,
  type RightlySigned,
  VERIFIED_ENTRY_BYTES,
  VerifiedTransactions,
  type VerifiedTx,
  verifiedEntries,
} from './verified-transactions.ts';
export {
  type ExecutedSummary,
  type ExecutionContext,
  executeWave,
  isRetryable,
  type PassedOver,
  type WaveInput,
  type WaveResult,
} from './wave.ts';
export {
  type ExecutedWave,
  type ExecutorSetup,
  type OrderedWave,
  WaveExecutor,
  type WaveOutcome,
} from './wave-executor.ts';
