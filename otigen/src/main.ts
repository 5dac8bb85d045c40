/** The process: arguments in, one answer out, an exit code. Only this file touches the process. */

import { EXIT, Output } from './output/index.ts';
import { parseGlobalOptions, run } from './program.ts';

// A reader that went away (`otigen … | head`) is no failure of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.success : EXIT.resource);
});

const argv = process.argv.slice(2);
try {
  process.exitCode = await run(argv);
} catch (error) {
  process.exitCode = new Output(parseGlobalOptions(argv)).failure(error);
}
