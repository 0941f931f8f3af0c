/**
 * Writes deploy/prometheus/chronawflow.rules.yml. Arguments: the share of calls to be answered, default 0.999; the address under which
 * docs/incident-response/alerts.md is served to people who are paged, default its path.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_OBJECTIVE, renderRules } from '../core/metrics/alerts';

const [, , given, runbooks] = process.argv;
const objective = given === undefined ? DEFAULT_OBJECTIVE : { availability: Number(given) };
const file = join(__dirname, '..', 'deploy', 'prometheus', 'chronawflow.rules.yml');
writeFileSync(file, renderRules(objective, runbooks));
