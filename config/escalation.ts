import { z } from 'zod';
import { duration } from './duration';

const time = duration.pipe(z.number().positive().max(2_147_483_647));
const level = z.number().int().min(1).max(5);

/** A way to reach people. Tokens and keys come from the environment: `"${NAME}"`. */
const channel = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('webhook'),
    url: z.url({ protocol: /^https?$/ }),
    /** Sent as bearer token. */
    token: z.string().min(1).optional(),
  }),
  z.strictObject({ kind: z.literal('email'), to: z.array(z.email()).min(1) }),
  z.strictObject({
    kind: z.literal('pagerduty'),
    routingKey: z.string().min(1),
    /** Of the Events API v2, or of what speaks it. */
    url: z.url({ protocol: /^https?$/ }).default('https://events.pagerduty.com/v2/enqueue'),
  }),
]);

/** Who is asked first, how long for an answer, and up to whom it goes. */
const severity = z
  .strictObject({ first: level.default(1), highest: level.default(5), after: time })
  .refine((s) => s.highest >= s.first, { path: ['highest'], message: 'is below `first`' });

/** Section `escalation`: who is told, and who next when nobody answers. */
export const escalationConfig = z
  .strictObject({
    /** From the team (1) to the executive (5); those that are left out are passed over. */
    levels: z
      .array(
        z.strictObject({
          level,
          name: z.string().min(1).optional(),
          notify: z.array(channel).min(1),
        }),
      )
      .default([]),
    smtp: z
      .strictObject({
        host: z.string().min(1),
        port: z.number().int().min(1).max(65_535).default(587),
        /** TLS from the first byte; else STARTTLS where the server offers it. */
        secure: z.boolean().default(false),
        user: z.string().optional(),
        password: z.string().optional(),
        from: z.string().min(1),
      })
      .optional(),
    /** By the alert's label `severity`; others are noted and page nobody. */
    severities: z
      .record(z.string().min(1), severity)
      .prefault({ critical: { after: '5m' }, warning: { after: '30m', highest: 2 } }),
    /** The highest level is told again so often, then nobody any more. */
    repeats: z.number().int().min(0).max(100).default(5),
    /** An alert that somebody has taken and that is not resolved after so long is raised again. */
    acknowledgedFor: time.prefault('4h'),
    /** Where Alertmanager sends its webhooks; nothing listens without it. */
    receiver: z
      .strictObject({
        host: z.string().min(1).default('127.0.0.1'),
        port: z.number().int().min(0).max(65_535).default(9466),
        /** Expected as bearer token. */
        token: z.string().min(16, 'a token has at least 16 characters'),
      })
      .optional(),
  })
  .superRefine(({ levels, smtp }, ctx) => {
    const seen = new Set<number>();
    for (const [index, one] of levels.entries()) {
      if (seen.has(one.level))
        ctx.addIssue({
          code: 'custom',
          path: ['levels', index, 'level'],
          message: `level ${one.level} is there twice`,
        });
      seen.add(one.level);
      for (const [number, { kind }] of one.notify.entries()) {
        if (kind === 'email' && smtp === undefined)
          ctx.addIssue({
            code: 'custom',
            path: ['levels', index, 'notify', number],
            message: 'an e-mail needs `escalation.smtp`',
          });
      }
    }
  });

export type EscalationChannel = z.output<typeof channel>;
