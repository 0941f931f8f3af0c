import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../../config';
import { InvalidInputError } from '../../core/errors';
import { currentOperator } from '../operator';
import { registerList } from './list-command';
import { escalationsPage, silencesPage } from './pages/escalations-page';
import { type CommonOptions, inSession, withCommonOptions } from './session';

/** Silencing needs the control plane's database alone. */
const WITHOUT_TEMPORAL = { whenTemporalIsAway: 'outbox' } as const;

interface SilenceOptions extends CommonOptions {
  readonly alert?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly for?: string;
  readonly from?: string;
  readonly reason?: string;
  readonly end?: string;
  readonly as: string;
}

interface RaiseOptions extends CommonOptions {
  readonly severity: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly as: string;
}

/** `chronawflow escalation list|ack|silence|raise` */
export function registerEscalation(program: Command): void {
  const escalation = program
    .command('escalation')
    .description('who is told that something is wrong, who has taken it, and what is silenced');

  registerList(escalation, {
    description: 'what is under way: who was told, who has taken it',
    example: 'chronawflow escalation list',
    limit: 50,
    read: async (cf, which) => {
      const [escalations, silences] = await Promise.all([
        cf.escalation.list(which),
        cf.escalation.silences(),
      ]);
      return { escalations, silences };
    },
    page: ({ escalations, silences }) => [...escalationsPage(escalations), ...silencesPage(silences)],
  });

  withActor(withCommonOptions(escalation.command('ack')))
    .description('take it: nobody more is told')
    .argument('<id>', 'its ID, as the page and `escalation list` show it')
    .option('--note <text>', 'for the others')
    .addHelpText('after', '\nExample:\n  $ chronawflow escalation ack e0123456789ab --as ada')
    .action(
      async (
        id: string,
        { as, note, ...options }: CommonOptions & { readonly as: string; readonly note?: string },
      ) =>
        inSession(options, async ({ cf, out }) => {
          const status = await cf.escalation.acknowledge(id, { as, note });
          out.result(status, () => [`Taken by ${status.by}: nobody more is told of ${id}.`]);
        }),
    );

  withActor(withCommonOptions(escalation.command('silence')))
    .description('a maintenance window: alerts with all of these labels page nobody meanwhile')
    .option('--alert <name>', 'the alert’s name: the label alertname')
    .option('--label <name=value>', 'a label; may be repeated', label)
    .option('--for <time>', 'how long, such as 2h')
    .option('--from <time>', 'when it begins, ISO 8601; default now')
    .option('--reason <text>', 'why')
    .option('--end <id>', 'end this one now instead')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow escalation silence --alert ChronawflowQueueDeep --label queue=mail --for 2h --reason "migration"',
    )
    .action(async (given: SilenceOptions) =>
      inSession(
        given,
        async ({ cf, out }) => {
          const { end, as } = given;
          if (end !== undefined) {
            await cf.escalation.endSilence(end, as);
            out.result({ id: end, ended: true }, () => [`Ended: ${end} silences nothing any more.`]);
            return;
          }
          const silence = await cf.escalation.silence({ ...windowOf(given), by: as });
          out.result(silence, () => silencesPage([silence]));
        },
        WITHOUT_TEMPORAL,
      ),
    );

  withActor(withCommonOptions(escalation.command('raise')))
    .description('tell people of something that no alert has seen')
    .argument('<fingerprint>', 'a name for it: the same is the same escalation while it is under way')
    .argument('<summary>', 'what is wrong, in one line')
    .option('--severity <name>', 'one of escalation.severities', 'critical')
    .option('--label <name=value>', 'a label; may be repeated', label)
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow escalation raise bank-down "The bank refuses all payments"',
    )
    .action(
      async (
        fingerprint: string,
        summary: string,
        { severity, label: labels, as, ...options }: RaiseOptions,
      ) =>
        inSession(options, async ({ cf, out }) => {
          const workflowId = await cf.escalation.raise({
            fingerprint,
            summary,
            severity,
            labels,
            source: as,
          });
          out.result({ workflowId }, () => [`Raised: ${workflowId}`]);
        }),
    );
}

function windowOf({ alert, label: labels = {}, for: time, from, reason }: SilenceOptions) {
  const forMs = time === undefined ? undefined : parseDuration(time);
  if (forMs === undefined || forMs <= 0)
    throw new InvalidInputError('Say how long it lasts.', { hint: '--for 2h' });
  if (reason === undefined) throw new InvalidInputError('Say why.', { hint: '--reason "migration"' });
  if (from !== undefined && Number.isNaN(Date.parse(from)))
    throw new InvalidInputError(`'${from}' is no time.`, { hint: '--from 2026-11-26T22:00:00Z' });
  return { labels: { ...labels, ...(alert === undefined ? {} : { alertname: alert }) }, forMs, from, reason };
}

function withActor(command: Command): Command {
  return command.option('--as <name>', 'who does it, for the audit log', currentOperator());
}

function label(text: string, earlier: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('write it as name=value');
  return { ...earlier, [name]: value };
}
