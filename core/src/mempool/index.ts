export { AdmittedRecords } from './admitted-records.ts';
export { homeOf, SILENT_HOME_ROUNDS, TAKE_OVER_MS } from './homes.ts';
export {
  type Admission,
  type AdmissionStart,
  type Forwarded,
  Mempool,
  type MempoolLimits,
  type MempoolSetup,
  type MempoolView,
  type PoolStatus,
} from './mempool.ts';
export type { MempoolErrorCode } from './pool-rules.ts';
