export { badArguments, EXIT, type Failure, isSystemError, toFailure } from './failure.ts';
export { Output, printable, table } from './output.ts';
