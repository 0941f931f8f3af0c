export { type LoadOptions, type LoadResult, openLoop } from './open-loop';
export { percentile } from './percentile.pure';
