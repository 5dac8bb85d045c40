/** All mutants, in the order of the design page (design/consensus.md). */
import { MEMBER_MUTANTS } from './member-mutants.ts';
import type { Mutant } from './mutant.ts';
import { ORDER_MUTANTS } from './order-mutants.ts';

export const MUTANTS: readonly Mutant[] = [...ORDER_MUTANTS, ...MEMBER_MUTANTS];
