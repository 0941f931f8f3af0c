/** Whether a silence is about an alert: each of its labels is the alert's. One without labels would silence everything, and is none. */
export function silences(
  labels: Readonly<Record<string, string>>,
  alert: Readonly<Record<string, string>>,
): boolean {
  const wanted = Object.entries(labels);
  return (
    wanted.length > 0 && wanted.every(([name, value]) => Object.hasOwn(alert, name) && alert[name] === value)
  );
}
