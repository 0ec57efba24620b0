/**
 * Pages in a real browser. One Chromium serves a test file, and each visitor has a profile of their own in it.
 * A test fails when a page that it opened reports an error, breaks the policy of its server, throws, opens a dialog or
 * asks another host for anything, unless the test said that it expects that.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
  type Request,
} from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished } from 'vitest';

export const viewports = {
  narrow: { width: 320, height: 640 },
  phone: { width: 390, height: 844 },
  tablet: { width: 1024, height: 768 },
  desktop: { width: 1200, height: 900 },
  beamer: { width: 1280, height: 720 },
  wall: { width: 1920, height: 1080 },
} as const;

export type ViewportName = keyof typeof viewports;
export type Theme = 'light' | 'dark';

export type VisitorOptions = {
  readonly viewport?: ViewportName;
  readonly theme?: Theme;
  /** As in Accept-Language; default English. */
  readonly language?: string;
  /** Default true. */
  readonly javaScript?: boolean;
  /** Whether the person has asked for less motion. */
  readonly calm?: boolean;
  /** What may go wrong on the pages: patterns of console errors. */
  readonly expected?: readonly RegExp[];
};

/** A person with a browser profile: cookies and storage of their own, shared by all their tabs. */
export type Visitor = {
  readonly context: BrowserContext;
  /** Opens a tab. With scripts it answers when the page is alive. */
  open(url: string): Promise<Page>;
  /** Every request that the visitor's tabs have sent. */
  readonly requests: readonly Request[];
  /** What went wrong so far, as it would be reported. */
  readonly faults: readonly string[];
};

export type TestBrowser = { visitor(options?: VisitorOptions): Promise<Visitor> };

const launchArguments = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const waitMsMax = 20_000;
const ownHosts = new Set(['127.0.0.1', 'localhost']);

/** Call it at the top of a file. Where there is no browser, every test of the file is skipped. */
export function shareBrowser(): TestBrowser {
  const chromiumPath = inject('chromiumPath');
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (chromiumPath === null) return;
    browser = await chromium.launch({ executablePath: chromiumPath, args: launchArguments });
  });
  beforeEach(({ skip }) => skip(chromiumPath === null, 'there is no browser'));
  afterAll(() => browser?.close());
  return {
    visitor(options = {}) {
      if (browser === undefined) throw new Error('The browser runs only while tests do.');
      return startVisitor(browser, options);
    },
  };
}

async function startVisitor(browser: Browser, options: VisitorOptions): Promise<Visitor> {
  const context = await browser.newContext(toContextOptions(options));
  context.setDefaultTimeout(waitMsMax);
  const faults: string[] = [];
  const requests: Request[] = [];
  watch(context, faults, requests);
  onTestFinished(async () => {
    await context.close();
    const { expected = [] } = options;
    expect(faults.filter((fault) => !expected.some((pattern) => pattern.test(fault)))).toEqual([]);
  });
  return {
    context,
    requests,
    faults,
    async open(url) {
      const page = await context.newPage();
      await page.goto(url);
      if (options.javaScript !== false) await untilAlive(page);
      return page;
    },
  };
}

function toContextOptions(options: VisitorOptions): BrowserContextOptions {
  const { viewport = 'phone', theme = 'light', language = 'en', javaScript = true, calm = false } = options;
  return {
    viewport: viewports[viewport],
    colorScheme: theme,
    locale: language,
    timezoneId: 'Europe/Berlin',
    javaScriptEnabled: javaScript,
    reducedMotion: calm ? 'reduce' : 'no-preference',
  };
}

function watch(context: BrowserContext, faults: string[], requests: Request[]): void {
  context.on('console', (message) => {
    // A breach of the policy is an error of the console, too.
    if (message.type() === 'error') faults.push(`console: ${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (error) => faults.push(`thrown: ${error.error().message}`));
  context.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('request', (request) => {
    requests.push(request);
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith('http') && !ownHosts.has(hostname)) faults.push(`another host: ${request.url()}`);
  });
}

/** Until the page's script has taken over what the server rendered. */
export async function untilAlive(page: Page): Promise<void> {
  await page.locator('html[data-live="true"]').waitFor({ state: 'attached' });
}

/** Scripts for pages are texts: the types of this folder know of no `document`. */
const stillness = `(async () => {
  await document.fonts.ready;
  // What watches the size of the page has taken notice by the second frame.
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  const ending = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().iterations !== Infinity);
  await Promise.allSettled(ending.map(({ finished }) => finished));
})()`;

/** Until nothing on the page moves that would come to rest by itself. */
export async function untilStill(page: Page): Promise<void> {
  await page.evaluate(stillness);
}

/** Where the pictures of the pages go, for people to look at. */
export const pictureFolder = path.resolve(import.meta.dirname, '../../test-results/screens');

/** `name`: page, state, viewport and theme, joined by dashes. */
export async function takePicture(page: Page, name: string): Promise<void> {
  await mkdir(pictureFolder, { recursive: true });
  await page.screenshot({ path: path.join(pictureFolder, `${name}.png`), fullPage: true });
}
