/**
 * Where passwords come from: a file of mode 0600, standard input (`--password-stdin`) to its end, or
 * a question on the terminal. What is given wins, and then nothing is ever asked.
 */
import { PydeError } from '@pyde/core/bytes';
import { readSecretFile } from '@pyde/platform-node/keys';
import type { Command } from 'commander';
import { badArguments } from '../output/index.ts';

export interface PasswordOptions {
  readonly passwordStdin?: boolean;
  readonly passwordFile?: string;
}

const MAX_PASSWORD_BYTES = 4096;
/** How often a person may mistype the repetition of a new password. */
const ATTEMPTS = 3;

export function passwordOptions(command: Command): Command {
  return command
    .option('--password-stdin', 'read the password from standard input')
    .option('--password-file <file>', 'read the password from this file, of mode 0600');
}

/** The password of a key that exists. @throws PydeError `keys.no-password`, `keys.*` of files */
export async function presentPassword(options: PasswordOptions, what: string): Promise<string> {
  const given = await givenLines(options);
  return given === undefined ? ask(`Password of ${what}`) : (given[0] ?? '');
}

/** A password to set: asked twice, or the first line of what is given. */
export async function newPassword(options: PasswordOptions, what: string): Promise<string> {
  const given = await givenLines(options);
  return given === undefined ? askTwice(what) : requireSome(given[0] ?? '');
}

/** The present password and the one to set; given, they are two lines. */
export async function passwordChange(
  options: PasswordOptions,
  what: string,
): Promise<{ readonly present: string; readonly next: string }> {
  const given = await givenLines(options);
  if (given === undefined) {
    return { present: await ask(`Present password of ${what}`), next: await askTwice(what) };
  }
  const [present, next, ...more] = given;
  if (present === undefined || next === undefined || more.length > 0) {
    throw badArguments('two lines are needed: the present password, then the new one');
  }
  return { present, next: requireSome(next) };
}

/** The one line of a password file, as `pyde.toml` names it. */
export async function passwordOfFile(path: string): Promise<string> {
  const text = await readSecretFile(path, 'password file', MAX_PASSWORD_BYTES);
  return linesOf(text)[0] ?? '';
}

async function givenLines(options: PasswordOptions): Promise<string[] | undefined> {
  if (options.passwordStdin === true && options.passwordFile !== undefined) {
    throw badArguments('give --password-stdin or --password-file, not both');
  }
  if (options.passwordFile !== undefined) {
    return linesOf(await readSecretFile(options.passwordFile, 'password file', MAX_PASSWORD_BYTES));
  }
  return options.passwordStdin === true ? linesOf(await standardInput()) : undefined;
}

const linesOf = (text: string): string[] => text.replace(/\r?\n$/, '').split(/\r?\n/);

async function standardInput(): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of process.stdin) {
    const bytes = Buffer.from(part);
    length += bytes.length;
    if (length > MAX_PASSWORD_BYTES) {
      process.stdin.destroy();
      throw badArguments(`a password has at most ${MAX_PASSWORD_BYTES} bytes`);
    }
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function askTwice(what: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const password = await ask(`New password for ${what}`);
    const again = await ask('The same again');
    if (password === again) return requireSome(password);
    if (attempt === ATTEMPTS) throw badArguments('the two passwords are not the same');
    process.stderr.write('the two passwords are not the same; once more\n');
  }
}

async function ask(message: string): Promise<string> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) {
    throw new PydeError(
      'keys.no-password',
      'there is no terminal to ask for a password; pass --password-stdin or --password-file',
    );
  }
  const { password } = await import('@inquirer/prompts');
  try {
    return await password({ message, mask: '*' }, { output: process.stderr });
  } catch (error) {
    // Ctrl-C at the question.
    if (!(error instanceof Error) || error.name !== 'ExitPromptError') throw error;
    throw new PydeError('pyde.cancelled', 'nothing was done');
  }
}

function requireSome(password: string): string {
  if (password !== '') return password;
  throw new PydeError('keys.empty-password', 'a password cannot be empty');
}
