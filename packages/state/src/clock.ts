/** What time it is. Times are stored as RFC 3339 in UTC; order never depends on them. */
export interface Clock {
  now(): Date;
}

/** The clock of the machine. */
export const systemClock: Clock = { now: () => new Date() };
