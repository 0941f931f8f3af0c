import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseConfig } from '../../config';
import { findPgBackRest, runProgram } from '../../core/cluster';
import { SEARCH_ATTRIBUTES } from '../../core/local-stack';
import { DEGRADATION_SECTION } from '../../core/local-stack/degradation-section';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';

const root = join(__dirname, '../..');
const text = (path: string) => readFileSync(join(root, path), 'utf8');

/** The part of the file that these tests look into; the schema of the specification judges all of it. */
const project = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string().optional(),
      build: z.object({ dockerfile: z.string(), target: z.string() }).optional(),
      depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
      environment: z.record(z.string(), z.string()).optional(),
      healthcheck: z.object({ test: z.array(z.string()) }).optional(),
      ports: z.array(z.string()).optional(),
      volumes: z.array(z.string()).optional(),
    }),
  ),
  volumes: z.record(z.string(), z.unknown()),
});

describe('docker-compose.yml', () => {
  const raw: unknown = parse(text('docker-compose.yml'), { merge: true });
  const { services, volumes } = project.parse(raw);

  it('is valid by the schema of the Compose Specification', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats(ajv);
    // Formats of Compose itself; the schema only names them.
    for (const format of ['ports', 'expose', 'duration', 'subnet_ip_address']) ajv.addFormat(format, true);
    const validate = ajv.compile(JSON.parse(text('test/support/compose-spec/compose-spec.json')));
    validate(raw);
    expect(validate.errors).toBeNull();
    // The schema is strict enough to notice a slip.
    expect(validate({ services: { one: { image: 'a', port: ['1:1'] } } })).toBe(false);
  });

  it('waits only for services that exist, in the way that they can answer', () => {
    const waits = Object.entries(services).flatMap(([name, service]) =>
      Object.entries(service.depends_on ?? {}).map(([other, { condition }]) => ({ name, other, condition })),
    );
    expect(waits.length).toBeGreaterThan(0);
    for (const { other, condition } of waits) {
      expect(Object.keys(services)).toContain(other);
      if (condition === 'service_healthy') expect(services[other]?.healthcheck).toBeDefined();
    }
  });

  it('mounts only files that are in the repository and volumes that are declared', () => {
    const sources = Object.values(services).flatMap(
      ({ volumes: mounts }) => mounts?.map((mount) => mount.split(':')[0] ?? '') ?? [],
    );
    for (const source of sources) {
      if (source.startsWith('.')) expect([source, existsSync(join(root, source))]).toEqual([source, true]);
      else expect(Object.keys(volumes)).toContain(source);
    }
    expect(Object.keys(volumes).filter((name) => !sources.includes(name))).toEqual([]);
  });

  it('opens ports to this machine only, and pins every image', () => {
    for (const { ports, image } of Object.values(services)) {
      for (const port of ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
      if (image !== undefined) expect(image).toMatch(/:[^:]*\d/);
    }
  });

  it('holds no password: make-secrets.sh generates every one that it asks for', () => {
    const asked = [...text('docker-compose.yml').matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name);
    const made = /for name in ([A-Z_ ]+);/.exec(text('deploy/docker/make-secrets.sh'))?.[1]?.split(' ');
    expect(new Set(made)).toEqual(new Set(asked));
  });

  it('builds targets that the Dockerfile has, from files that are there', () => {
    for (const { build } of Object.values(services)) {
      if (build === undefined) continue;
      const dockerfile = text(build.dockerfile);
      expect(dockerfile).toMatch(new RegExp(`^FROM \\S+ AS ${build.target}$`, 'm'));
    }
    for (const [, sources] of text('deploy/docker/Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm))
      for (const source of (sources ?? '').split(' '))
        expect([source, existsSync(resolve(root, source))]).toEqual([source, true]);
  });

  it('gives the worker a configuration that its schema accepts', () => {
    const file = join(root, 'deploy/docker/chronawflow.yaml');
    const env = services.worker?.environment ?? {};
    const config = parseConfig(text('deploy/docker/chronawflow.yaml'), { file, env });
    expect(Object.keys(services)).toEqual(
      expect.arrayContaining([config.application.database.host, config.platform.database.host, 'temporal']),
    );
    expect(config.temporal.address).toBe('temporal:7233');
    expect(services.worker?.volumes?.map((mount) => mount.split(':')[1])).toContain(
      config.application.backup.scratchDirectory,
    );
  });

  it('has the levels of the local stack', () => {
    expect(parse(text('deploy/docker/chronawflow.yaml')).degradation).toEqual(DEGRADATION_SECTION);
  });

  it('gives pgBackRest a configuration that it accepts', async () => {
    const directory = await throwawayDirectory('compose');
    try {
      const { stdout } = await runProgram(
        await findPgBackRest(),
        [
          'info',
          `--config=${join(root, 'deploy/docker/pgbackrest.conf')}`,
          `--repo1-path=${directory}`,
          `--lock-path=${directory}`,
          '--log-level-file=off',
        ],
        { env: { PGBACKREST_REPO1_CIPHER_PASS: 'for this test' } },
      );
      expect(stdout).toContain('No stanzas exist');
    } finally {
      await removeDirectory(directory);
    }
  });

  it('makes the search attributes that the stack has everywhere', () => {
    expect(text('deploy/temporal/namespace.sh')).toContain(`for name in ${SEARCH_ATTRIBUTES.join(' ')};`);
  });

  it('has Prometheus scrape services that exist', () => {
    const { scrape_configs } = z
      .object({
        scrape_configs: z.array(
          z.object({ static_configs: z.array(z.object({ targets: z.array(z.string()) })) }),
        ),
      })
      .parse(parse(text('deploy/prometheus/prometheus.yml')));
    const targets = scrape_configs.flatMap((job) => job.static_configs.flatMap((one) => one.targets));
    for (const target of targets) expect(Object.keys(services)).toContain(target.split(':')[0]);
  });

  it('has shell scripts that a POSIX shell reads', async () => {
    for (const script of [
      'docker/make-secrets.sh',
      'docker/prepare.sh',
      'temporal/schema.sh',
      'temporal/namespace.sh',
    ])
      await runProgram('sh', ['-n', join(root, 'deploy', script)]);
  });
});
