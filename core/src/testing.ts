/** Every decoder of core that is fuzzed (docs/protocol/fuzzing.md). */
import type { FuzzTarget } from './bytes/testing/fuzz.ts';
import { bytesTargets } from './bytes/testing/fuzz-targets.ts';
import { closingTargets } from './consensus/testing/closing-targets.ts';
import { consensusTargets } from './consensus/testing/fuzz-targets.ts';
import { recoveryTargets } from './consensus/testing/recovery-targets.ts';
import { cryptoTargets } from './crypto/testing/fuzz-targets.ts';
import { executionTargets } from './execution/testing/fuzz-targets.ts';
import { netTargets } from './net/testing/fuzz-targets.ts';
import { rpcTargets } from './rpc/testing/fuzz-targets.ts';
import { stateTargets } from './state/testing/fuzz-targets.ts';
import { syncTargets } from './sync/testing/fuzz-targets.ts';
import { vmTargets } from './vm/testing/fuzz-targets.ts';

export const coreTargets: readonly FuzzTarget[] = [
  ...bytesTargets,
  ...cryptoTargets,
  ...stateTargets,
  ...vmTargets,
  ...executionTargets,
  ...consensusTargets,
  ...recoveryTargets,
  ...closingTargets,
  ...syncTargets,
  ...netTargets,
  ...rpcTargets,
];
