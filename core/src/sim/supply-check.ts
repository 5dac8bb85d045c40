/** The assertion `supply`: what accounts and pools hold together is what there is, on one node. */
import { isPydeError } from '../bytes/index.ts';
import { assertSupply } from '../execution/index.ts';
import { StateStore } from '../state/index.ts';
import type { SimNode } from './sim-node.ts';
import { Violation } from './violation.ts';

/** @throws Violation `supply` */
export async function checkSupply(node: SimNode): Promise<void> {
  try {
    await assertSupply(node.disk, StateStore.open(node.disk));
  } catch (error) {
    if (isPydeError(error) || !(error instanceof Error)) throw error;
    throw new Violation('supply', node.index, error.message);
  }
}
