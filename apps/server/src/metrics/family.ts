/** One value of a metric. */
export interface Sample {
  /** Appended to the metric's name; left out where the name is all. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
  /** Few values each, and none that people choose: each combination is a series for ever. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with all its values. */
export interface Family {
  readonly name: `coppice_${string}`;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** None: nobody knows the value now. */
  readonly samples: readonly Sample[];
}

/** The text format of Prometheus, version 0.0.4. */
export function formatFamilies(families: readonly Family[]): string {
  return families
    .map(({ name, help, type, samples }) => {
      const lines = samples.map((sample) => `${name}${sample.suffix ?? ''}${formatLabels(sample.labels ?? {})} ${sample.value}\n`);
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
    })
    .join('');
}

function formatLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
