/** How URLs hold `secret`: as RFC 3986 asks for it, and with the small hexadecimal digits that some programs write. */
export function percentForms(secret: string): readonly string[] {
  const encoded = encodeURIComponent(secret);
  return [encoded, encoded.replace(/%../g, (escaped) => escaped.toLowerCase())];
}
