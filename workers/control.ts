#!/usr/bin/env node
import { createControlWorker } from './create-control-worker';
import { runProcess } from './run-process';

/**
 * The controllers' process: what watches over the rest and steps in. Apart from the workers, so that whatever fills or kills
 * those leaves it free to act.
 */
void runProcess({ kind: 'control', metricsPort: 9465, create: createControlWorker });
