import type { z } from 'zod';
import type { configSchema } from '../../config';

/** The `tenancy` block as it is written in a configuration file. */
export type TenancyInput = z.input<typeof configSchema>['tenancy'];
