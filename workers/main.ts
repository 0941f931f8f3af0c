#!/usr/bin/env node
import { createWorker } from './create-worker';
import { runProcess } from './run-process';

/** The worker's process: restores, drills and jobs. */
void runProcess({ kind: 'worker', metricsPort: 9464, create: createWorker });
