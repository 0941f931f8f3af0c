export { parseTarget } from './parse-target.pure';
export { resolveTarget } from './resolve-target';
