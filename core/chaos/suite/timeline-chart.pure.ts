import type { ChaosReport, LoadSecond } from '../types';

const WIDTH = 900;
const HEIGHT = 220;
const LEFT = 60;
const BOTTOM = 30;
const LEVELS = 4;

/** Latency, errors, level and faults of one experiment on one time axis, as SVG; undefined without load, which draws it all. */
export function timelineChart(report: ChaosReport): string | undefined {
  const seconds = (report.load ?? []).flatMap(({ seconds }) => seconds);
  const [first] = seconds;
  const last = seconds.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const begin = Date.parse(first.at);
  const end = Math.max(Date.parse(last.at) + 1_000, begin + 1_000);
  const x = (at: string) => LEFT + ((Date.parse(at) - begin) / (end - begin)) * (WIDTH - LEFT);
  const worst = Math.max(1, ...seconds.map(({ p95 }) => p95));
  const most = Math.max(1, ...seconds.map(({ failed }) => failed));
  const up = (value: number, top: number) => (HEIGHT - BOTTOM) * (1 - value / top) + 5;
  const line = seconds.map((one) => `${round(x(one.at))},${round(up(one.p95, worst))}`).join(' ');
  const bars = seconds.filter(({ failed }) => failed > 0).map((one) => bar(x(one.at), up(one.failed, most)));
  const shades = report.faults
    .filter(({ from }) => from !== '')
    .map(({ from, to, driver }) => shade(Math.max(LEFT, x(from)), Math.min(WIDTH, x(to)), driver));
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    ...shades,
    ...bars,
    `<polyline fill="none" stroke="#1a56b0" stroke-width="2" points="${line}"/>`,
    `<polyline fill="none" stroke="#8a5300" stroke-dasharray="4 3" points="${steps(seconds, x, up)}"/>`,
    label(2, 16, `${worst} ms`),
    label(2, HEIGHT - BOTTOM, '0'),
    label(LEFT, HEIGHT - 8, first.at.slice(11, 19)),
    label(WIDTH - 70, HEIGHT - 8, last.at.slice(11, 19)),
    '</svg>',
  ].join('');
}

function steps(
  seconds: readonly LoadSecond[],
  x: (at: string) => number,
  up: (value: number, top: number) => number,
): string {
  return seconds
    .map((one) => `${round(x(one.at))},${round(up(Math.min(one.level, LEVELS), LEVELS))}`)
    .join(' ');
}

function bar(at: number, top: number): string {
  return `<rect x="${round(at)}" y="${round(top)}" width="4" height="${round(HEIGHT - BOTTOM + 5 - top)}" fill="#b3261e"/>`;
}

function shade(from: number, to: number, name: string): string {
  const width = Math.max(1, to - from);
  return `<rect x="${round(from)}" y="0" width="${round(width)}" height="${HEIGHT - BOTTOM}" fill="#b3261e" opacity=".12"><title>${name.replaceAll(/[<&]/g, '')}</title></rect>`;
}

function label(x: number, y: number, content: string): string {
  return `<text x="${round(x)}" y="${round(y)}" font-size="11" fill="#555">${content}</text>`;
}

function round(value: number): number {
  return Number(value.toFixed(1));
}
