/** What a person has to do before set-up can go on: one sentence, and lines of what to do. */
export class SetupFailure extends Error {
  constructor(message, todo) {
    super(message);
    this.todo = todo;
  }
}
