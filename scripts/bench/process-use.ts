import { readFileSync, writeFileSync } from 'node:fs';

/** Ticks of the kernel's accounting per second, which Linux fixes for programs. */
const ticksPerSecond = 100;

/** Processor time of a process so far, user and system, in seconds. Its ended children do not count. */
export function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // after the name, which may hold anything: state is field 3, utime and stime are 14 and 15
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Resident memory of a process now, in bytes. */
export function residentBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS');
}

/** The most resident memory of a process since it began or `forgetPeak`, in bytes. */
export function peakBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM');
}

/** Lets the peak begin anew. Needs root where the process is another user's. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function statusBytes(pid: number, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1]) * 1024;
}
