import type { Output } from '../output';

/** How often somebody who waits is told. */
const EVERY_MS = 2_000;

/** Tells on standard error how far a long reading is; nothing of short ones. */
export function readingProgress(out: Output, verb: string) {
  let told = performance.now();
  return ({ log, done, total }: { readonly log: string; readonly done: number; readonly total: number }) => {
    if (performance.now() - told < EVERY_MS) return;
    told = performance.now();
    out.note(`… ${verb} ${log}: ${done.toLocaleString('en')} of ${total.toLocaleString('en')} entries`);
  };
}
