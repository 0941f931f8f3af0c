import { createColors } from 'picocolors';

/**
 * Colours for a terminal only. The library's own default also colours whatever runs under CI, where output goes to a
 * file; NO_COLOR (no-color.org) wins over everything, FORCE_COLOR over the terminal.
 */
export const colors = createColors(
  !process.env.NO_COLOR && (Boolean(process.env.FORCE_COLOR) || process.stdout.isTTY === true),
);
