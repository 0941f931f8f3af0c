import { isRecorded } from './save-history';

interface Stage {
  stop(): Promise<void>;
}

/**
 * Has every story told whose history is not there yet, one after the other on one stage; one that fails ends the process
 * with exit code 1.
 *
 * @param stories by the name of the history that each one saves
 */
export function recordStories<S extends Stage>(
  stories: Readonly<Record<string, (stage: S, name: string) => Promise<void>>>,
  startStage: () => Promise<S>,
): void {
  tell(stories, startStage).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}

async function tell<S extends Stage>(
  stories: Readonly<Record<string, (stage: S, name: string) => Promise<void>>>,
  startStage: () => Promise<S>,
): Promise<void> {
  const missing = Object.entries(stories).filter(([name]) => !isRecorded(name));
  if (missing.length === 0) return;
  const stage = await startStage();
  try {
    for (const [name, story] of missing) {
      await story(stage, name);
      console.log(`${name}: recorded`);
    }
  } finally {
    await stage.stop();
  }
}

/** What the stories of one kind have in common around each of them. */
export function around<S, Story>(
  stories: Readonly<Record<string, Story>>,
  record: (stage: S, name: string, story: Story) => Promise<void>,
): Record<string, (stage: S, name: string) => Promise<void>> {
  return Object.fromEntries(
    Object.entries(stories).map(([key, story]) => [key, (stage: S, name: string) => record(stage, name, story)]),
  );
}
