const style = [
  'body{margin:15vh auto 0;max-width:36rem;padding:0 1.5rem;font:1rem/1.6 system-ui,sans-serif;color:#24292f;background:#fff}',
  'h1{font-size:1.4rem;line-height:1.3}',
  'code{font-size:.9em;background:#f0f2f4;padding:.1em .3em;border-radius:3px}',
  '@media(prefers-color-scheme:dark){body{color:#d8dee4;background:#16191d}code{background:#2a3037}}',
].join('');

/** The page for a host or path that no route has. Says nothing of what was asked, so there is nothing to escape; loads nothing. */
export function unknownPage(domain: string): string {
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>Not known here</title><style>${style}</style>`,
    '<h1>Nothing is known here under this address</h1>',
    '<p>No environment of this Coppice server has a route for the host and path that were asked for.</p>',
    `<p>Environments answer on <code>&lt;environment&gt;.&lt;project&gt;.${domain}</code>; `,
    '<code>coppice env list</code> shows their addresses. A branch that was pushed a moment ago may still be on its way.</p></html>',
  ].join('');
}
