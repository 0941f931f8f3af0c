#!/usr/bin/env node
import { parseArgs } from 'node:util';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { type AuditConfig, loadConfig } from '../config';
import {
  CosignatureCollector,
  ExternalSigner,
  LogSigner,
  readSigningKey,
  readVerifierKey,
  Sealer,
  SealingWatch,
  type SigningKey,
  WitnessRefusedError,
} from '../core/audit';
import { ChronawflowError, InvalidInputError, messageOf } from '../core/errors';
import { HealthMonitor } from '../core/health';
import { METRIC, sharedMetrics } from '../core/metrics';
import { createPool } from '../database';
import { createLogger } from './create-logger';
import { readMetricsPort, serveOnFreePort } from './metrics-port';

/** Beside a worker's 9464 and the controllers' 9465. */
const METRICS_PORT = 9466;

/**
 * The sealer's process: the only one that reads the log's signing key, with a database role that no other process has. It
 * runs until SIGTERM or SIGINT, then seals the batch under way and ends with code 0; a second signal ends it at once, which
 * loses nothing.
 */
async function run(port: number | undefined, log: Logger): Promise<void> {
  const { audit, platform } = loadConfig();
  const { signer, close: closeSigner } = await signerOf(audit);
  const pool = createPool(audit.database ?? platform.database, {
    applicationName: 'chronawflow sealer',
    max: 4 + audit.witnesses.length,
  });
  const refusing = new Set<string>();
  const watching = watchSealing(pool, refusing, log);
  const sealer = new Sealer(pool, signer, {
    onBatch: ({ events, logs }) => {
      if (events > 0) log.debug({ events, logs }, 'sealed');
    },
    onError: (error) => log.warn({ err: error }, 'sealing failed; trying again'),
  });
  const collector = new CosignatureCollector(pool, await witnessesOf(audit), {
    onError: (witness, error) => {
      if (error instanceof WitnessRefusedError && !error.retryable) refusing.add(witness);
      log.error({ witness, err: error }, 'a witness has not cosigned; asking again');
    },
    onAgreed: (witness) => refusing.delete(witness),
  });
  const server = await serveOnFreePort(sharedMetrics.registry, watching.health, port, METRICS_PORT);
  const onSignal = (signal: NodeJS.Signals) => {
    log.info({ signal }, 'stopping');
    process.once(signal, () => process.exit(1));
    sealer.stop();
    collector.stop();
  };
  process.once('SIGTERM', onSignal).once('SIGINT', onSignal);
  log.info({ origin: signer.origin, metricsPort: server.port }, 'running');
  await Promise.all([sealer.run(), collector.run()]);
  closeSigner();
  await Promise.all([server.close(), watching.close()]);
  await pool.end();
  log.info('stopped');
}

/** What Prometheus and a supervisor see of it. */
function watchSealing(pool: Pool, refusing: ReadonlySet<string>, log: Logger) {
  sharedMetrics.collectProcess();
  const sealing = new SealingWatch(pool, {
    onError: (error) => log.warn({ err: error }, 'what is not sealed could not be counted'),
  });
  sealing.start();
  const gauge = sharedMetrics.gauge({
    name: METRIC.auditWitnessRefuses,
    help: '1 for each witness that has seen another log than this one.',
    labels: ['witness'],
    merge: 'max',
  });
  const stop = gauge.collectFrom(() => [...refusing].map((witness) => ({ labels: { witness }, value: 1 })));
  const health = new HealthMonitor({
    checks: [{ name: 'platform-database', check: () => pool.query('select 1') }],
  });
  health.start();
  return {
    health,
    close: async () => {
      stop();
      await Promise.all([sealing.close(), health.close()]);
    },
  };
}

function witnessesOf({ witnesses }: AuditConfig) {
  return Promise.all(
    witnesses.map(async ({ url, publicKey }) => ({ url, key: await readVerifierKey(publicKey) })),
  );
}

async function signerOf(audit: AuditConfig): Promise<{ readonly signer: LogSigner; close(): void }> {
  const { keyFile, formerKeyFile, quantumSafeKeyFile } = audit;
  const external = await externalSigner(audit);
  if (external === undefined && keyFile === undefined) {
    throw new InvalidInputError('audit.keyFile is not set: there is no key to seal with.', {
      hint: 'Make one with `chronawflow audit keygen --name example.com/audit --out audit.key`, or set audit.signCommand.',
    });
  }
  const log = external?.external ?? (await signingKey(keyFile ?? '', 'audit.keyFile', 'ed25519'));
  const former =
    formerKeyFile === undefined
      ? undefined
      : await signingKey(formerKeyFile, 'audit.formerKeyFile', 'ed25519');
  if (former !== undefined && former.name !== log.name)
    throw new InvalidInputError('audit.formerKeyFile is of another log: the name of a log never changes.');
  const quantumSafe =
    quantumSafeKeyFile === undefined
      ? undefined
      : await signingKey(quantumSafeKeyFile, 'audit.quantumSafeKeyFile', 'cosignature-ml-dsa-44');
  return { signer: new LogSigner({ log, former, quantumSafe }), close: () => external?.close() };
}

async function externalSigner({ signCommand, publicKey }: AuditConfig): Promise<ExternalSigner | undefined> {
  const [program, ...args] = signCommand ?? [];
  if (program === undefined) return undefined;
  if (publicKey === undefined)
    throw new InvalidInputError('audit.signCommand needs audit.publicKey: what it signs is verified.');
  return new ExternalSigner([program, ...args], await readVerifierKey(publicKey));
}

async function signingKey(file: string, setting: string, kind: SigningKey['kind']): Promise<SigningKey> {
  const key = await readSigningKey(file);
  if (key.kind === kind) return key;
  throw new InvalidInputError(
    `${setting} has to be ${kind === 'ed25519' ? 'an Ed25519' : 'an ML-DSA-44'} key.`,
    {
      hint: kind === 'ed25519' ? 'chronawflow audit keygen' : 'chronawflow audit keygen --quantum-safe',
    },
  );
}

async function main(): Promise<void> {
  let log = createLogger('sealer', false);
  try {
    const { values } = parseArgs({
      options: { 'metrics-port': { type: 'string' }, pretty: { type: 'boolean', default: false } },
    });
    log = createLogger('sealer', values.pretty);
    await run(readMetricsPort(values['metrics-port']), log);
  } catch (error) {
    const hint = error instanceof ChronawflowError ? error.hint : undefined;
    log.fatal({ err: error, hint }, messageOf(error));
    process.exitCode = 1;
  }
}

void main();
