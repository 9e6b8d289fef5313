import { CoppiceError } from '@coppice/model';

/** A caller of shared work. */
export interface Passenger {
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal;
}

interface Flight<Result> {
  readonly landed: Promise<Result>;
  readonly controller: AbortController;
  readonly passengers: Set<Passenger>;
  /** What those who join later are shown first. */
  readonly said: string[];
}

const replayedLines = 200;

/**
 * Runs work once per key however many ask at the same moment. Each hears its progress; one that gives up leaves the others alone, and
 * the work is aborted only when all have.
 */
export class SingleFlight<Result> {
  private readonly flights = new Map<string, Flight<Result>>();

  /** `leads` is true for the caller that caused the work. Throws `cancelled` for a caller whose signal was aborted. */
  async join(
    key: string,
    passenger: Passenger,
    work: (onProgress: (line: string) => void, signal: AbortSignal) => Promise<Result>,
  ): Promise<{ readonly result: Result; readonly leads: boolean }> {
    if (passenger.signal?.aborted) throw cancelled();
    const running = this.flights.get(key);
    const flight = running ?? this.start(key, work);
    for (const line of flight.said) passenger.onProgress(line);
    flight.passengers.add(passenger);
    return { result: await this.ride(key, flight, passenger), leads: running === undefined };
  }

  private start(key: string, work: (onProgress: (line: string) => void, signal: AbortSignal) => Promise<Result>): Flight<Result> {
    const controller = new AbortController();
    const passengers = new Set<Passenger>();
    const said: string[] = [];
    const onProgress = (line: string): void => {
      if (said.length < replayedLines) said.push(line);
      for (const passenger of passengers) passenger.onProgress(line);
    };
    const landed = Promise.resolve().then(() => work(onProgress, controller.signal));
    const flight: Flight<Result> = { landed, controller, passengers, said };
    this.flights.set(key, flight);
    const forget = (): void => {
      if (this.flights.get(key) === flight) this.flights.delete(key);
    };
    landed.then(forget, forget);
    return flight;
  }

  private async ride(key: string, flight: Flight<Result>, passenger: Passenger): Promise<Result> {
    const gaveUp = Promise.withResolvers<never>();
    const leave = (): void => {
      flight.passengers.delete(passenger);
      if (flight.passengers.size === 0) {
        // whoever asks from now on starts anew instead of joining what is being torn down
        if (this.flights.get(key) === flight) this.flights.delete(key);
        flight.controller.abort(cancelled());
      }
      gaveUp.reject(cancelled());
    };
    passenger.signal?.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([flight.landed, gaveUp.promise]);
    } finally {
      passenger.signal?.removeEventListener('abort', leave);
      flight.passengers.delete(passenger);
    }
  }
}

function cancelled(): CoppiceError {
  return new CoppiceError('cancelled', 'the build was cancelled');
}
