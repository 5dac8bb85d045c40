/**
 * Where passwords come from: a question on the terminal, or with `--password-stdin` standard input
 * to its end, with or without a last newline, and then nothing is ever asked.
 */
import type { Cli } from '../cli.ts';
import { Failure, invalidArgs } from '../output/index.ts';
import { readStandardInput } from './standard-input.ts';

const MAX_BYTES = 4096;
/** How often a person may mistype the repetition of a new password. */
const ATTEMPTS = 3;

/** The password of an existing account. The first line counts when there are several. */
export async function accountPassword(
  cli: Cli,
  name: string,
  fromStdin: boolean | undefined,
): Promise<string> {
  if (fromStdin === true) return (await lines())[0] ?? '';
  return ask(cli, `Password of ${name}`);
}

/** A password to set: asked twice, or one line, or two equal lines on standard input. */
export async function newPassword(
  cli: Cli,
  name: string,
  fromStdin: boolean | undefined,
): Promise<string> {
  if (fromStdin === true) {
    const [password = '', again = password, ...more] = await lines();
    if (more.length > 0) throw badPassword('more than two lines are on standard input');
    return confirmed(password, again);
  }
  for (let attempt = 1; ; attempt++) {
    const password = await ask(cli, `New password for ${name}`, notEmpty);
    const again = await ask(cli, 'The same again');
    if (password === again || attempt === ATTEMPTS) return confirmed(password, again);
    cli.output.warn('the two passwords are not the same; once more');
  }
}

/** The present password and the one to set; two lines on standard input. */
export async function passwordChange(
  cli: Cli,
  name: string,
  fromStdin: boolean | undefined,
): Promise<{ readonly present: string; readonly next: string }> {
  if (fromStdin === true) {
    const [present, next, ...more] = await lines();
    if (present === undefined || next === undefined || more.length > 0) {
      throw badPassword(
        'two lines are needed on standard input: the present password, the new one',
      );
    }
    return { present, next: confirmed(next, next) };
  }
  const present = await ask(cli, `Present password of ${name}`);
  return { present, next: await newPassword(cli, name, false) };
}

async function lines(): Promise<string[]> {
  const text = await readStandardInput(MAX_BYTES, 'the password');
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}

async function ask(
  cli: Cli,
  message: string,
  validate: (typed: string) => true | string = () => true,
): Promise<string> {
  if (!cli.isInteractive) {
    throw new Failure('wallet', 'NoPassword', 'there is no terminal to ask for a password', {
      next: 'pass --password-stdin and write the password to standard input',
    });
  }
  const { password } = await import('@inquirer/prompts');
  return answered(password({ message, mask: '*', validate }, { output: process.stderr }));
}

function notEmpty(typed: string): true | string {
  return typed !== '' || 'a password cannot be empty';
}

/** A secret that is pasted rather than typed: nothing of it is shown. */
export async function pastedSecret(cli: Cli, message: string): Promise<string> {
  if (!cli.isInteractive) throw invalidArgs('there is no terminal to paste a secret into');
  const { password } = await import('@inquirer/prompts');
  return (await answered(password({ message }, { output: process.stderr }))).trim();
}

/** A question that was left with Ctrl-C ends the command. */
export async function answered<T>(question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') {
      throw new Failure('validation', 'Cancelled', 'nothing was done');
    }
    throw error;
  }
}

function confirmed(password: string, again: string): string {
  if (password !== again) throw badPassword('the two passwords are not the same');
  if (password === '') throw badPassword('the password is empty');
  return password;
}

function badPassword(message: string): Failure {
  return new Failure('wallet', 'BadPassword', message, { next: 'try again' });
}
