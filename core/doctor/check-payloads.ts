import { stat } from 'node:fs/promises';
import type { Pool } from 'pg';
import type { PayloadsConfig } from '../../config';
import { createKeyStore, listKeys } from '../payload-codec';
import { broken, type Check, type Finding, ok, warning } from './finding';

const NAME = 'payload encryption';

/** Whether what Temporal stores is encrypted, and whether every key that is still needed can be had. */
export function checkPayloads(payloads: PayloadsConfig | undefined, platform: Pool): Check {
  return {
    name: NAME,
    fallbackFix: 'Look at the section payloads of the configuration.',
    look: async () => {
      if (payloads === undefined) {
        return [
          warning(
            NAME,
            'off: Temporal’s database has inputs, results and errors in plain text',
            'Make a key with `chronawflow keys keygen` and name it under payloads.keyEncryptionKeys.',
          ),
        ];
      }
      await createKeyStore(payloads, platform).tryWrapping();
      const known = new Set(payloads.keyEncryptionKeys.map(({ id }) => id));
      const owners = await listKeys(platform);
      const missing = new Set(owners.flatMap(({ wrappedBy }) => wrappedBy).filter((id) => !known.has(id)));
      if (missing.size > 0) {
        return [
          broken(
            NAME,
            `keys are wrapped by ${[...missing].join(', ')}, which is not configured: their payloads cannot be read`,
            'Add it to payloads.keyEncryptionKeys, after the others; `chronawflow keys rotate --wrapping` ends the need for it.',
          ),
        ];
      }
      return [on(payloads, owners.length), ...(await openFiles(payloads))];
    },
  };
}

function on({ plainUntil, plainInput, keyEncryptionKeys }: PayloadsConfig, owners: number): Finding {
  if (plainUntil !== undefined && Date.parse(plainUntil) > Date.now()) {
    return warning(
      NAME,
      `on, and plain payloads are taken everywhere until ${plainUntil}`,
      'Remove payloads.plainUntil once the last run from before encryption has ended.',
    );
  }
  const inputs = plainInput === 'accept' ? 'accepted' : 'refused';
  return ok(NAME, `on, wrapped by ${keyEncryptionKeys[0]?.id}; ${owners} with keys; plain inputs ${inputs}`);
}

async function openFiles({ keyEncryptionKeys }: PayloadsConfig): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const key of keyEncryptionKeys) {
    if (!('file' in key)) continue;
    // Read or write for others than owner and group.
    if (((await stat(key.file)).mode & 0o006) === 0) continue;
    findings.push(warning(NAME, `everybody on this host can read ${key.file}`, `chmod o-rw ${key.file}`));
  }
  return findings;
}
