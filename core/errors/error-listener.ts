import { messageOf } from './message-of';

/**
 * The listener of somebody else as one that cannot throw: it must not end a process that only wanted to be told.
 *
 * @param owner whose option `onError` it is, for the warning when it throws.
 */
export function errorListener(
  owner: string,
  onError: ((error: unknown) => void) | undefined,
): (error: unknown) => void {
  return (error) => {
    try {
      onError?.(error);
    } catch (thrown) {
      process.emitWarning(`onError of ${owner} threw: ${messageOf(thrown)}`);
    }
  };
}
