/** One line people see first; change it, push, and look. */
export const greeting = 'Welcome to the guestbook';

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text that is safe between tags and in attributes. */
export function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (character) => escapes[character]);
}

/** The whole page: how often it was looked at, and what people wrote, newest first. */
export function renderPage({ visits, entries, environment }) {
  const items = entries.map((entry) => `<li><b>${escapeHtml(entry.author)}</b> ${escapeHtml(entry.message)}</li>`);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Guestbook</title></head>
<body>
<h1>${escapeHtml(greeting)}</h1>
<p>Environment <b>${escapeHtml(environment)}</b>, looked at ${visits} times.</p>
<form method="post" action="/entries">
<input name="author" placeholder="Your name" required maxlength="80">
<input name="message" placeholder="Your words" required maxlength="500">
<button>Sign</button>
</form>
<ul>
${items.join('\n')}
</ul>
</body>
</html>
`;
}
