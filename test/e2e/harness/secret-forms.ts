/** How a secret may stand in what was written: plain, in URLs, and in base64 and base64url after 0, 1 or 2 bytes of something else. */
export function secretForms(secret: string): readonly string[] {
  const inUrls = encodeURIComponent(secret);
  const base64 = [0, 1, 2].map((before) => {
    const encoded = Buffer.from(`${'x'.repeat(before)}${secret}`)
      .toString('base64')
      .replace(/=+$/, '');
    // the first and last character may hold bits of what stands before and after
    return encoded.slice(before === 0 ? 0 : before + 1, -1);
  });
  const base64Url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const inSmallDigits = inUrls.replace(/%../g, (escaped) => escaped.toLowerCase());
  return [...new Set([secret, inUrls, inSmallDigits, ...base64, ...base64Url])];
}
