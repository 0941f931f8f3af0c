import { PageFailedError } from '../errors/page-failed-error';

/** Longer than a server needs that is worth paging through. */
const LIMIT_MS = 10_000;

/**
 * Posts JSON and takes 2xx for delivered.
 *
 * @throws PageFailedError; not retryable where the server says that it will never take it (4xx but 408 and 429)
 */
export async function postJson(
  kind: string,
  url: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  let status: number;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(LIMIT_MS),
      // Elsewhere is somebody else, who is not to have the token.
      redirect: 'manual',
    });
    status = response.status;
    await response.body?.cancel();
  } catch {
    // The cause names the address.
    throw new PageFailedError(kind, 'nobody answered');
  }
  if (status >= 200 && status < 300) return;
  const final = status >= 300 && status < 500 && status !== 408 && status !== 429;
  throw new PageFailedError(kind, `the other side answered ${status}`, { retryable: !final });
}
