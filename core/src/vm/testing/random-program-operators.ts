/** The operators that random programs choose from, sorted by what they leave on the stack. */
import { IMMEDIATE, OPERATORS, type Operator } from '../operators.ts';
import { VALUE_TYPES } from './random-program-choices.ts';

const isNumeric = (operator: Operator | undefined): operator is Operator =>
  operator?.immediate === IMMEDIATE.none &&
  operator.signature !== undefined &&
  operator.signature.result !== 0;
const isAccess = (operator: Operator | undefined): operator is Operator =>
  operator?.immediate === IMMEDIATE.memoryArgument;
const resultOf = (operator: Operator): number => operator.signature?.result ?? 0;

export const NUMERIC_BY_RESULT = new Map(
  VALUE_TYPES.map((type) => [
    type,
    OPERATORS.filter(isNumeric).filter((operator) => resultOf(operator) === type),
  ]),
);
export const LOADS_BY_RESULT = new Map(
  VALUE_TYPES.map((type) => [
    type,
    OPERATORS.filter(isAccess).filter((operator) => resultOf(operator) === type),
  ]),
);
export const STORES = OPERATORS.filter(isAccess).filter((operator) => resultOf(operator) === 0);
