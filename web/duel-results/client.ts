/** Keeps the results page of the contract `duel` up to date, by the same Socket.IO events that every other client of it gets. */
import { toDuelSides, toSummaryText, toTotalText, type DuelScores } from '../../protocol/duel.ts';
import './duel-results.css';

/** The part of a Socket.IO client that is used here. The server hands the client out at /socket.io/. */
type LiveSocket = {
  on(event: 'connect' | 'disconnect', listener: () => void): void;
  on(event: 'scores', listener: (json: string) => void): void;
};
declare const io: () => LiveSocket;

const summaryMs = 10_000;
/** Whoever asked for less motion gets one update a second. */
const calmMs = 1_000;

const calm = matchMedia('(prefers-reduced-motion: reduce)');
let latest: DuelScores | null = null;
let drawn: DuelScores | null = null;
let drawnAt = 0;
let drawTimer: ReturnType<typeof setTimeout> | undefined;
let told = '';

function start(): void {
  find('#live').hidden = false;
  const socket = io();
  socket.on('connect', () => showLive(true));
  socket.on('disconnect', () => showLive(false));
  socket.on('scores', (json) => {
    latest = JSON.parse(json) as DuelScores; // Our own server's text.
    drawSoon();
  });
  setInterval(tellSummary, summaryMs);
}

/** At the next frame; with less motion no earlier than a second after the last time. */
function drawSoon(): void {
  if (drawTimer !== undefined) return;
  const wait = calm.matches ? Math.max(0, drawnAt + calmMs - performance.now()) : 0;
  drawTimer = setTimeout(() => {
    drawTimer = undefined;
    if (latest !== null) draw(latest);
  }, wait);
}

function draw(scores: DuelScores): void {
  drawnAt = performance.now();
  if (drawn?.a === scores.a && drawn.b === scores.b) return;
  drawn = scores;
  for (const { side, share, votes, clip, leads, standing } of toDuelSides(scores)) {
    find(`#${side} .share`).textContent = share;
    find(`#${side} .votes`).textContent = votes;
    find(`#${side} .standing`).textContent = standing;
    find(`#${side} .fill`).setAttribute('clip-path', clip);
    find(`#${side}`).classList.toggle('lead', leads);
  }
  find('#result').textContent = toTotalText(scores);
}

/** While the connection is lost the figures stay, and say that they may be old. */
function showLive(connected: boolean): void {
  find('#live').className = connected ? 'live' : 'waiting';
  find('#live-word').textContent = connected ? 'Live' : 'Reconnecting…';
}

function tellSummary(): void {
  if (drawn === null) return;
  const summary = toSummaryText(drawn, { a: nameOf('a'), b: nameOf('b') });
  if (summary === told) return;
  told = summary;
  find('#summary').textContent = summary;
}

function nameOf(side: keyof DuelScores): string {
  return find(`#name-${side}`).textContent ?? side;
}

function find(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`The page has no ${selector}.`);
  return found;
}

start();
