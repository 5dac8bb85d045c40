export { AdmittedRecords } from './admitted-records.ts';
export {
  type Admission,
  type AdmissionStart,
  Mempool,
  type MempoolErrorCode,
  type MempoolLimits,
  type MempoolSetup,
  type MempoolView,
  type PoolStatus,
} from './mempool.ts';
