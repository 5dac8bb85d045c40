/** `node core/src/vm/testing/corpus/write-expected.ts`: expected.txt anew, by the interpreter. */
import { CORPUS, writeExpected } from './index.ts';
import { runByInterpreter } from './interpret.ts';

writeExpected(new Map(CORPUS.map((one) => [one.name, runByInterpreter(one)])));
