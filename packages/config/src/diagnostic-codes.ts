/** The closed list of what can be wrong with the file; each code stands in docs/reference/errors.md under "Diagnostics of the file". */
export const diagnosticCodes = [
  'file-too-large', // bytes, keys, depth or number of files
  'invalid-encoding', // not UTF-8, or a control character
  'invalid-yaml', // the text is no YAML
  'tab-indentation',
  'unsupported-yaml', // directives, tags, merge keys, several documents
  'invalid-alias', // to nothing, to itself, or an anchor defined twice
  'duplicate-key',
  'reserved-name', // a key such as __proto__
  'invalid-number', // too large to be exact, or not finite
  'declared-twice', // one node, route or section in two files, or one name for two nodes
  'unknown-key',
  'missing-key',
  'wrong-type',
  'invalid-value',
  'too-many', // or too few entries
  'unknown-type',
  'unknown-version',
  'not-supported', // accepted nowhere yet, and leaving it out would do something else
  'missing-start',
  'unknown-node',
  'unknown-endpoint',
  'unknown-schema',
  'unknown-property',
  'relationship-cycle',
  'relationship-clash', // two relationships that would set the same variables
  'invalid-path', // outside the repository or the application, absolute, overlapping
  'exclusive-mount', // held by more than one instance
  'invalid-address', // an IPv4 block
  'invalid-cron',
  'invalid-route', // its URL, upstream or target
  'duplicate-route',
  'missing-routes', // several applications and nothing that says which answers
  'reserved-variable', // a warning: the platform sets it
  'more', // how many were left out
] as const;
export type DiagnosticCode = (typeof diagnosticCodes)[number];
