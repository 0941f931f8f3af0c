/** Writes deploy/prometheus/chronawflow.rules.yml. Argument: the share of calls to be answered; default 0.999. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_OBJECTIVE, renderRules } from '../core/metrics/alerts';

const given = process.argv[2];
const objective = given === undefined ? DEFAULT_OBJECTIVE : { availability: Number(given) };
const file = join(__dirname, '..', 'deploy', 'prometheus', 'chronawflow.rules.yml');
writeFileSync(file, renderRules(objective));
