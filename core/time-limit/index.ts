export { withTimeLimit } from './with-time-limit';
