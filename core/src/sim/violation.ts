/** An assertion of the simulator that did not hold: a defect in what is simulated. */

export type ViolationCode =
  | 'agreement'
  | 'prefix'
  | 'roots'
  | 'execution-twice'
  | 'supply'
  | 'stranded'
  | 'unsynced-vertex'
  | 'equivocation'
  | 'evidence'
  | 'certificate'
  | 'bound'
  | 'progress'
  | 'halt'
  | 'crash';

export class Violation extends Error {
  override readonly name = 'Violation';
  readonly code: ViolationCode;
  /** Undefined when it is about all of them. */
  readonly node: number | undefined;

  constructor(code: ViolationCode, node: number | undefined, message: string) {
    super(message);
    this.code = code;
    this.node = node;
  }
}
