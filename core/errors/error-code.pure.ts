/** True for an error of the operating system with this code; such errors may come from another realm, so no `instanceof`. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    codes.includes(error.code)
  );
}

/** For `catch` of a look-up: nothing there is an answer, everything else stays an error. */
export function whenMissing<T>(answer: T): (error: unknown) => T {
  return (error) => {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    return answer;
  };
}
