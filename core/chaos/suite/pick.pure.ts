import { seededRandom } from './seeded-random.pure';

/** `count` different ones in a random order that the seed decides; all of them when there are fewer. */
export function pick<T>(from: readonly T[], count: number, seed: number): readonly T[] {
  const random = seededRandom(seed);
  const left = [...from];
  const chosen: T[] = [];
  while (chosen.length < count && left.length > 0)
    chosen.push(...left.splice(Math.floor(random() * left.length), 1));
  return chosen;
}
