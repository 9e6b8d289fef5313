import type { Measure } from '@coppice/control';
import { type ActivityKind, type ErrorCode, errorCodes } from '@coppice/model';
import type { StepKind } from '@coppice/plan';
import type { Family, Sample } from './family.ts';
import { Histogram } from './histogram.ts';

/** From a step that finds all done to the longest that a step may take. */
const stepSeconds = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800] as const;
const lagSeconds = [0.05, 0.25, 1, 5, 15, 60, 300, 1800] as const;

const activityKinds: Readonly<Record<ActivityKind, true>> = {
  push: true,
  deploy: true,
  redeploy: true,
  revert: true,
  delete: true,
  repair: true,
  recover: true,
  build: true,
  suspend: true,
  wake: true,
  backup: true,
  restore: true,
  sync: true,
  branch: true,
  trash: true,
  gc: true,
};
const endStates = ['succeeded', 'failed', 'cancelled'] as const;

/** What the control plane measured since the server started: a few hundred numbers, whatever happens. */
export class ControlMetrics {
  /** All from the start on, so that the first failure is seen to be one more than none. */
  readonly #activities = (Object.keys(activityKinds) as ActivityKind[]).flatMap((kind) =>
    endStates.map((state) => ({ labels: { kind, state }, value: 0 })),
  );
  readonly #failures = new Map<ErrorCode, number>(errorCodes.map((code) => [code, 0]));
  readonly #steps = new Map<StepKind, Histogram>();
  readonly #lag = new Histogram(lagSeconds);
  #looks = 0;
  #crashes = 0;

  readonly measure: Measure = (measurement) => {
    switch (measurement.kind) {
      case 'activity-ended': {
        const counter = this.#activities.find(({ labels }) => labels.kind === measurement.activity && labels.state === measurement.state);
        if (counter) counter.value += 1;
        return;
      }
      case 'failure':
        this.#failures.set(measurement.code, (this.#failures.get(measurement.code) ?? 0) + 1);
        return;
      case 'step-ended':
        this.#stepsOf(measurement.step).observe(measurement.durationMs / 1000);
        return;
      case 'look':
        this.#looks += 1;
        return;
      case 'settled':
        this.#lag.observe(measurement.lagMs / 1000);
        return;
      case 'crashes':
        this.#crashes += measurement.count;
    }
  };

  /** Every metric of what was measured. */
  families(): readonly Family[] {
    const failures = [...this.#failures].map(([code, value]): Sample => ({ labels: { code }, value }));
    const steps = [...this.#steps].flatMap(([step, histogram]) => histogram.samples({ step }));
    return [
      { name: 'coppice_activities_ended_total', help: 'Activities that ended', type: 'counter', samples: this.#activities },
      { name: 'coppice_failures_total', help: 'Failures of activities, pushes and looks', type: 'counter', samples: failures },
      { name: 'coppice_step_seconds', help: 'How long the steps of plans took', type: 'histogram', samples: steps },
      { name: 'coppice_looks_total', help: 'Looks of the loop at an environment', type: 'counter', samples: [{ value: this.#looks }] },
      {
        name: 'coppice_reconcile_lag_seconds',
        help: 'From a look being asked for until its environment was seen as desired',
        type: 'histogram',
        samples: this.#lag.samples(),
      },
      { name: 'coppice_crashes_total', help: 'Crashes of instances that were seen', type: 'counter', samples: [{ value: this.#crashes }] },
    ];
  }

  #stepsOf(kind: StepKind): Histogram {
    const histogram = this.#steps.get(kind) ?? new Histogram(stepSeconds);
    this.#steps.set(kind, histogram);
    return histogram;
  }
}
