import { createHash, randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { type Config, loadConfig } from '../../config';
import { InvalidInputError, messageOf } from '../../core/errors';
import { IntentVerifier, mayDo, operatorPolicy } from '../../core/operators';
import {
  CodecService,
  createPayloadCodec,
  type MayDecode,
  serveCodec,
  tokenAuthority,
} from '../../core/payload-codec';
import { createPool } from '../../database';
import { Output } from './output';
import { wholeNumber } from './recovery/options';
import { type CommonOptions, withCommonOptions } from './session';

interface ServerOptions extends CommonOptions {
  readonly port: number;
  readonly host: string;
}

const TOKEN_BYTES = 32;

/** `chronawflow codec-server`, and `token` below it */
export function registerCodecServer(program: Command): void {
  const command = withCommonOptions(program.command('codec-server'))
    .description('decrypt payloads for the Temporal Web UI and CLI, for operators who may see them')
    .option('--port <port>', 'where it listens; 0 for a free one', wholeNumber, 8083)
    .option('--host <address>', 'on which address; put TLS before it for others than this host', '127.0.0.1')
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow codec-server\n  $ temporal workflow show -w job/acme/report/7 --codec-endpoint http://127.0.0.1:8083 --codec-auth "Bearer $TOKEN"',
    )
    .action(serve);

  command
    .command('token')
    .description('make a token for an operator; it is shown once')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ chronawflow codec-server token')
    .action((_: unknown, self: Command) => {
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      const sha256 = createHash('sha256').update(token).digest('hex');
      new Output(self.optsWithGlobals<CommonOptions>().json ?? false).result({ token, sha256 }, () => [
        `Token, for the operator alone: ${token}`,
        `For payloads.codecServer.tokens:  - { operator: NAME, sha256: ${sha256} }`,
      ]);
    });
}

async function serve({ config: configFile, json, port, host }: ServerOptions): Promise<void> {
  const out = new Output(json ?? false);
  const config = loadConfig({ configFile });
  const { payloads, temporal } = config;
  const settings = payloads?.codecServer;
  if (payloads === undefined || settings === undefined) {
    throw new InvalidInputError('The configuration has no section payloads.codecServer.', {
      hint: 'It says for which Web UI (origin) and for whom (tokens); `chronawflow codec-server token` makes one.',
    });
  }
  const platform = createPool(config.platform.database, {
    applicationName: 'chronawflow codec server',
    max: 4,
  });
  try {
    const { namespace } = temporal;
    const codec = createPayloadCodec(payloads, platform, { namespace, side: 'client' });
    const service = new CodecService(codec, platform, settings.audit);
    const server = await serveCodec(service, tokenAuthority(settings, await registered(config, platform)), {
      ...{ port, host, origin: settings.origin, namespace },
      onError: (error) => out.note(`✗ ${messageOf(error)}`),
    });
    out.result({ port: server.port, origin: settings.origin }, () => [
      `Codec server for ${settings.origin}, at http://${host}:${server.port}.`,
    ]);
    await new Promise<void>((resolve) => {
      process.once('SIGTERM', () => resolve()).once('SIGINT', () => resolve());
    });
    await server.close();
  } finally {
    await platform.end();
  }
}

/** Undefined without signed operators: then the configuration alone decides. */
async function registered(
  config: Config,
  platform: ReturnType<typeof createPool>,
): Promise<MayDecode | undefined> {
  const policy = await operatorPolicy(config);
  if (policy === undefined) return undefined;
  const verifier = new IntentVerifier(platform, policy);
  return async (name) => {
    const operator = (await verifier.registry()).operators.get(name);
    if (operator === undefined || operator.revoked !== undefined) return () => false;
    return (tenant) => mayDo(operator, 'payload.decode', tenant);
  };
}
