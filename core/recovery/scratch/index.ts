export { connectScratch, type ScratchPoolOptions } from './connect-scratch';
export { removeScratch } from './remove-scratch';
export { ensureScratch, restoreScratch } from './restore-scratch';
export { removeEveryScratch, sweepScratch } from './sweep-scratch';
export { validateScratch } from './validate-scratch';
