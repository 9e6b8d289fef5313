/**
 * JSON with sorted keys, no white space, and without properties that are undefined, so that equal values have equal text.
 * Keys are sorted by UTF-16 code units, as RFC 8785 has it. Takes plain data only. Throws TypeError for what JSON cannot hold.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`);
      return JSON.stringify(value);
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? arrayText(value) : objectText(value as Readonly<Record<string, unknown>>);
    default:
      throw new TypeError(`not plain data: ${typeof value}`);
  }
}

// Text is concatenated, not collected and joined: specs of 10,000 nodes are digested for each plan.
function arrayText(items: readonly unknown[]): string {
  let text = '[';
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    if (index > 0) text += ',';
    text += item === undefined ? 'null' : canonicalJson(item);
  }
  return `${text}]`;
}

function objectText(record: Readonly<Record<string, unknown>>): string {
  let text = '{';
  for (const key of sortedKeys(record)) {
    const item = record[key];
    if (item === undefined) continue;
    if (text.length > 1) text += ',';
    text += `${quote(key)}:${canonicalJson(item)}`;
  }
  return `${text}}`;
}

/** Printable ASCII but for the quote and the backslash: what JSON holds as it is. */
const plain = /^[ !#-[\]-~]*$/;
const longestPlain = 80;

// Two thirds of the time of the built-in for names and digests, which are most of what is digested.
function quote(text: string): string {
  return text.length <= longestPlain && plain.test(text) ? `"${text}"` : JSON.stringify(text);
}

const manyKeys = 24;

/** By insertion where there are few, as almost always, and most are in order already. */
function sortedKeys(record: object): readonly string[] {
  const keys = Object.keys(record);
  if (keys.length > manyKeys) return keys.sort();
  for (let index = 1; index < keys.length; index += 1) {
    const key = keys[index] as string;
    let place = index;
    for (; place > 0 && (keys[place - 1] as string) > key; place -= 1) keys[place] = keys[place - 1] as string;
    keys[place] = key;
  }
  return keys;
}
