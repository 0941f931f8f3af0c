/** Versions are left out when a change is overtaken by the next one; so many are not. */
export const MOST_VERSIONS_LEFT_OUT = 10_000;
