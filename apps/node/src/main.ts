/** The process: arguments in, one answer out, an exit code. Only this file ends the process. */
import { EXIT, Output, toFailure } from './output/index.ts';
import { run } from './program.ts';

// A reader that went away (`pyde … | head`) is no failure of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.success : EXIT.resource);
});

const argv = process.argv.slice(2);
try {
  process.exitCode = await run(argv);
} catch (error) {
  const { code, message, next, exitCode } = toFailure(error);
  new Output(false).error(code, message, next);
  if (process.env['PYDE_STACK'] === '1' && error instanceof Error) console.error(error.stack);
  process.exitCode = exitCode;
}
