/** The cookie of whoever has signed in here: for a Web UI that knows no token of its own. */
export const COOKIE = 'chronawflow-codec';

/** Across sites, because the Web UI is one; never to scripts, and to plain HTTP only on this host. */
export function sessionCookie(token: string): string {
  return `${COOKIE}=${encodeURIComponent(token)}; HttpOnly; Secure; SameSite=None; Path=/; Max-Age=28800`;
}

export function tokenInCookie(header: string | undefined): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === COOKIE && value !== undefined && /^[\w%.~-]+$/.test(value)) return decodeURIComponent(value);
  }
  return undefined;
}

/** Without scripts and without anything from elsewhere. */
export const LOGIN_PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Chronawflow codec server</title>
<form method="post" action="/login" autocomplete="off">
<p><label>Token <input name="token" type="password" required></label> <button>Sign in</button></p>
<p>Then the Temporal Web UI shows decrypted payloads in this browser, for eight hours.</p>
</form></html>
`;
