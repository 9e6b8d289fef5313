/** What a call of a control plane that was killed comes back with: nothing, for ever. */
export function neverAgain(): Promise<never> {
  return new Promise(() => undefined);
}
