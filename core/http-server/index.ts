export { type Listening, listen } from './listen';
export { readBody } from './read-body';
