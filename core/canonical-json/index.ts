export { canonicalJson } from './canonical-json.pure';
