/** Standard input read to its end, inside a bound. */
import { Failure } from '../output/index.ts';

/** @throws Failure `InputTooLong` */
export async function readStandardInput(maxBytes: number, what: string): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of process.stdin) {
    const bytes = Buffer.from(part);
    length += bytes.length;
    if (length > maxBytes) {
      process.stdin.destroy();
      throw new Failure(
        'validation',
        'InputTooLong',
        `${what} on standard input is longer than ${maxBytes} bytes`,
      );
    }
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
}
