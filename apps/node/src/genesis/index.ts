export { type BuildErrorCode, type BuiltGenesis, buildGenesis } from './build-genesis.ts';
export {
  type Contribution,
  type ContributionErrorCode,
  readContribution,
  validatorAddress,
  writeContribution,
} from './contribution.ts';
export {
  type GenesisFileErrorCode,
  genesisJson,
  genesisLines,
  readGenesisFile,
} from './genesis-file.ts';
