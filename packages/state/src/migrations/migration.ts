/** One step from the schema before to the next. Never edited once released: a later one changes what it made. */
export interface Migration {
  /** The version it leads to, counting from 1 without gaps. */
  readonly version: number;
  readonly sql: string;
}
