import type { HttpResponse } from './response.pure';

const TITLES = {
  400: 'Bad Request',
  409: 'Conflict',
  422: 'Unprocessable Content',
  503: 'Service Unavailable',
} as const;

/** Why a request with, or without, an Idempotency-Key is not carried out. */
export interface Refusal {
  readonly status: keyof typeof TITLES;
  readonly code: string;
  readonly detail: string;
  readonly retryAfterSeconds?: number;
}

/** As a problem document, RFC 9457. @param documentation address of the page that explains the API's keys */
export function problemResponse(refusal: Refusal, documentation: string | undefined): HttpResponse {
  const { status, code, detail, retryAfterSeconds } = refusal;
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(Math.max(1, retryAfterSeconds)) }),
    },
    body: JSON.stringify({
      type: documentation ?? 'about:blank',
      title: TITLES[status],
      status,
      code,
      detail,
    }),
  };
}

/** The response could not be recorded, so it is not given: the client tries again with its key. */
export const NOT_RECORDED: Refusal = {
  status: 503,
  code: 'RESPONSE_NOT_RECORDED',
  detail: 'The response could not be recorded. Try again with the same key.',
  retryAfterSeconds: 1,
};
