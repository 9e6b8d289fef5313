const mask = '[secret]';

/** `text` without any of the secrets, also where they are written in base64 or percent-encoded. Secrets under 8 characters are left: they would eat words. */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length < 8) continue;
    for (const form of [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), encodeURIComponent(secret)]) {
      if (clean.includes(form)) clean = clean.replaceAll(form, mask);
    }
  }
  return clean;
}
