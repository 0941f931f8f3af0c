export { type TracedTarget, traced } from './traced';
export { type SpanAttributes, withSpan } from './with-span';
