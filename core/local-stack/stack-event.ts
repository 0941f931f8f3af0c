import type { PartName } from './part';

/** What happens while a stack starts, stops or is watched, for a display. */
export type StackEvent =
  | { readonly kind: 'progress'; readonly part: PartName; readonly text: string }
  | { readonly kind: 'started'; readonly part: PartName; readonly ms: number; readonly where: string }
  | { readonly kind: 'stopped'; readonly part: PartName }
  | { readonly kind: 'lost'; readonly part: PartName; readonly reason: string };

export type OnStackEvent = (event: StackEvent) => void;
