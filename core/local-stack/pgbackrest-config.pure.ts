/** What a repository of the stack is made of. */
export interface RepositorySettings {
  readonly stanza: string;
  readonly repository: string;
  readonly logs: string;
  readonly locks: string;
  readonly spool: string;
  readonly cipherPass: string;
  readonly dataDirectory: string;
  readonly socketDirectory: string;
  readonly port: number;
}

/** pgBackRest's configuration. It holds the repository's pass: mode 0600, the server user's. */
export function pgBackRestConfig(settings: RepositorySettings): string {
  return `${[
    '# Written by Chronawflow at each start of the local stack.',
    '[global]',
    `repo1-path=${settings.repository}`,
    'repo1-cipher-type=aes-256-cbc',
    `repo1-cipher-pass=${settings.cipherPass}`,
    'repo1-retention-full=4',
    'compress-type=zst',
    'compress-level=3',
    'process-max=2',
    // A checkpoint at once: nobody wants to wait for the next one on a local stack.
    'start-fast=y',
    'log-level-console=warn',
    'log-level-file=info',
    `log-path=${settings.logs}`,
    `lock-path=${settings.locks}`,
    `spool-path=${settings.spool}`,
    '',
    `[${settings.stanza}]`,
    `pg1-path=${settings.dataDirectory}`,
    `pg1-socket-path=${settings.socketDirectory}`,
    `pg1-port=${settings.port}`,
    'pg1-user=postgres',
  ].join('\n')}\n`;
}

/** `archive_command`: PostgreSQL passes it to a shell after replacing %p, so both have their say about quoting. */
export function archiveCommand(program: string, configFile: string, stanza: string): string {
  const word = (text: string) => `'${text.replaceAll("'", `'\\''`).replaceAll('%', '%%')}'`;
  return `${word(program)} --config=${word(configFile)} --stanza=${word(stanza)} archive-push %p`;
}
