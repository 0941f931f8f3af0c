import { join } from 'node:path';

export interface ProcessPlace {
  readonly directory: string;
  readonly recordFile: string;
  readonly logFile: string;
}

export interface ServerPlace {
  readonly directory: string;
  readonly dataDirectory: string;
  readonly logFile: string;
}

export function processPlace(home: string, name: string): ProcessPlace {
  const directory = join(home, name);
  return { directory, recordFile: join(directory, 'process.json'), logFile: join(directory, `${name}.log`) };
}

export function serverPlace(servers: string, name: string): ServerPlace {
  const directory = join(servers, name);
  return { directory, dataDirectory: join(directory, 'data'), logFile: join(directory, 'server.log') };
}
