/**
 * What random programs import, and what the host answers: from the calls alone, so that every run
 * gets the same answers as long as it calls the same. Each call notes the gas that the host sees.
 */
import { type FuncType, VALUE_TYPE } from '../module.ts';

const { i32, i64 } = VALUE_TYPE;

/** Of the allowlist: with and without parameters and result, one that takes gas. */
export const HOST_IMPORTS: readonly { readonly name: string; readonly type: FuncType }[] = [
  { name: 'calldata_size', type: { params: [], results: [i32] } },
  { name: 'consume_gas', type: { params: [i64], results: [i32] } },
  { name: 'sstore', type: { params: [i32, i32, i32], results: [] } },
  { name: 'wave_id', type: { params: [], results: [i64] } },
];

export interface HostCall {
  /** Name and arguments. */
  readonly what: string;
  /** Of a metered run: left when the host was called. */
  readonly fuel: bigint | undefined;
}

/** One run's host. */
export class RandomHost {
  readonly calls: HostCall[] = [];
  private readonly fuelLeft: () => bigint | undefined;
  private readonly charge: (gas: bigint) => void;

  constructor(fuelLeft: () => bigint | undefined, charge: (gas: bigint) => void) {
    this.fuelLeft = fuelLeft;
    this.charge = charge;
  }

  /** @returns the bits of the result, for imports that have one */
  call(name: string, args: readonly bigint[]): bigint {
    this.calls.push({ what: `${name} ${args.join(' ')}`, fuel: this.fuelLeft() });
    if (name === 'consume_gas') this.charge((args[0] ?? 0n) & 0x3fn);
    return BigInt(this.calls.length % 5);
  }

  /** As an engine wants it. */
  imports(): Record<string, Record<string, unknown>> {
    const link = ({ name, type }: (typeof HOST_IMPORTS)[number]): [string, unknown] => [
      name,
      (...args: readonly (number | bigint)[]) => {
        const width = (i: number): number => (type.params[i] === i32 ? 32 : 64);
        const result = this.call(
          name,
          args.map((value, i) => BigInt.asUintN(width(i), BigInt(value))),
        );
        return type.results[0] === i64 ? result : Number(result);
      },
    ];
    return { pyde: Object.fromEntries(HOST_IMPORTS.map(link)) };
  }
}
