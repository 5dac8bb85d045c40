export {
  BEHAVIOURS,
  type BehaviourName,
  behaviourNames,
  DELIVERY_ORDERS,
  type DeliveryOrder,
  type FaultyMember,
} from './byzantine/index.ts';
export {
  FAULT_KINDS,
  type FaultKind,
  faultKinds,
  MAX_REAL_BY_DEFAULT,
  type SimKeys,
  type SimOptions,
  simOptions,
} from './options.ts';
export type { ReportedViolation, SimReport } from './report.ts';
export type { Percentiles } from './samples.ts';
export type { SignatureKind } from './signatures.ts';
export type { Disguise, Member, Seat } from './sim-node.ts';
export { type SimParts, Simulation } from './simulation.ts';
export type { ViolationCode } from './violation.ts';
