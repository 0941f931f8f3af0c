export { canonicalJson, inspectJson, type JsonFacts } from './canonical-json.pure';
