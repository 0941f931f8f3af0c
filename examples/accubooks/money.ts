/** Money in the application is whole cents, so that sums are exact; in the database it is numeric. */
export type Cents = number;

/** 1234 → "12.34". For amounts that are not negative. */
export function toNumeric(cents: Cents): string {
  const digits = String(cents).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** "12.34" → 1234. For values of a numeric column with two decimals. */
export function toCents(numeric: string): Cents {
  return Math.round(Number(numeric) * 100);
}
