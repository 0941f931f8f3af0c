import { startDetached } from '../../core/cluster';

/** A process of its own that starts another one, and may be killed while it does: record, log, seconds. */
const [, , recordFile = '', logFile = '', seconds = ''] = process.argv;
process.stdout.write('begins\n');
void startDetached({ file: '/bin/sleep', args: [seconds], recordFile, logFile });
