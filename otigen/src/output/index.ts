export {
  EXIT,
  Failure,
  type FailureKind,
  invalidArgs,
  isSystemError,
  toFailure,
} from './failure.ts';
export {
  type JsonValue,
  Output,
  type OutputOptions,
  type OutputStream,
  printable,
} from './output.ts';
