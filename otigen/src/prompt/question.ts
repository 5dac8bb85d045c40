/** Questions that are no passwords; asked only when a person is there to answer. */
import type { Cli } from '../cli.ts';
import { invalidArgs } from '../output/index.ts';
import { answered } from './password.ts';

/** `given`, or the answer to `message`. @throws Failure `InvalidArgs` naming `argument` */
export async function orAsk(
  cli: Cli,
  given: string | undefined,
  argument: string,
  message: string,
): Promise<string> {
  if (given !== undefined) return given;
  if (!cli.isInteractive) throw invalidArgs(`${argument} is missing`, `pass ${argument}`);
  const { input } = await import('@inquirer/prompts');
  const required = { message, required: true };
  return (await answered(input(required, { output: process.stderr }))).trim();
}
