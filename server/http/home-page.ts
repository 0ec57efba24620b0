/** The page that a browser gets at `/`: the open polls, and where to go on. */
import type { Poll } from '../poll/poll.ts';

const pollsShownMax = 50;

export function toHomePage(open: readonly Poll[]): string {
  const items = open.slice(0, pollsShownMax).map(toItem).join('');
  const list = items === '' ? '<p>No poll is open.</p>' : `<ul>${items}</ul>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hustings</title>
<style>
  :root { color-scheme: light dark; --ink: light-dark(#141414, #f1efe9); --paper: light-dark(#f7f5ef, #16171a); --line: light-dark(#d8d4c8, #34363c) }
  body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 40rem; margin: 0 auto; padding: 2rem 1rem }
  h1 { font-size: 2rem; margin: 0 }
  ul { list-style: none; padding: 0 }
  li { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: .5rem 0; overflow-wrap: anywhere }
  a { color: inherit; display: inline-block; min-height: 44px; align-content: center }
  small { opacity: .75 }
</style>
<h1>Hustings</h1>
<p>A voting server. Every ballot that was acknowledged is counted, once.</p>
<h2>Open polls</h2>
${list}
<p><a href="/docs">The API, with a place to try it</a></p>
</html>
`;
}

function toItem(poll: Poll): string {
  const path = `/api/v1/polls/${poll.slug}`;
  const options = poll.options.length === 1 ? '1 option' : `${poll.options.length} options`;
  return `<li><strong>${escapeHtml(poll.question)}</strong><br><small>${options}</small> <a href="${path}/tally">tally</a></li>`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (character) => entities[character] ?? character);
}
