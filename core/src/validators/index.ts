export { committeeHash, type SeatedValidator, selectCommittee } from './committee-selection.ts';
export {
  type EpochPhase,
  type EpochSpan,
  epochEndMs,
  epochPhase,
  isEpochSettled,
  type WaveTime,
} from './epoch-phase.ts';
export {
  decodeEpochState,
  EPOCH_STATE_KEY,
  type EpochRecord,
  type EpochState,
  encodeEpochState,
  genesisEpoch,
  readEpochState,
  writeEpochState,
} from './epoch-state.ts';
export {
  type Activation,
  PROTOCOL_VERSION,
  type ProtocolErrorCode,
  type ProtocolOptions,
  ProtocolSchedule,
  type ProtocolStanding,
  protocolSchedule,
  versionedStart,
} from './protocol-version.ts';
export {
  decodeOperatorIndex,
  decodeValidator,
  encodeOperatorIndex,
  encodeValidator,
  FULL_UPTIME_BPS,
  MAX_VALIDATORS_OF_OPERATOR,
  operatorKey,
  readOperatorValidators,
  readValidator,
  VALIDATOR_STATUS,
  type Validator,
  type ValidatorErrorCode,
  type ValidatorStatus,
  validatorKey,
  writeNewValidator,
} from './validator.ts';
