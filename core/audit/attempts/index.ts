export { RefusedAttempts } from './refused-attempts';
