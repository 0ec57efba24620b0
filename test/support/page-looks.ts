/** How a page looks in a state: a picture of it in each size and theme, nothing that sticks out, and nothing that axe finds. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { takePicture, untilStill, viewports, type Theme, type ViewportName } from './browser.ts';

/** WCAG 2.2 AA, and what it is built on (https://www.deque.com/axe/core-documentation/api-documentation/#axe-core-tags). */
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

export const handViewports: readonly ViewportName[] = ['phone', 'tablet'];
export const screenViewports: readonly ViewportName[] = ['beamer', 'wall', 'tablet'];
const allThemes: readonly Theme[] = ['light', 'dark'];

/** `name`: the page and its state, as its pictures are to be called. Leaves the page in the last of the sizes and themes. */
export async function checkLooks(
  page: Page,
  name: string,
  sizes: readonly ViewportName[] = handViewports,
  themes: readonly Theme[] = allThemes,
): Promise<void> {
  const faults: string[] = [];
  for (const theme of themes) {
    await page.emulateMedia({ colorScheme: theme });
    for (const size of sizes) {
      await page.setViewportSize(viewports[size]);
      await untilStill(page);
      const look = `${name}-${size}-${theme}`;
      await takePicture(page, look);
      faults.push(
        ...[...(await findOverflow(page)), ...(await findBarriers(page))].map((fault) => `${look}: ${fault}`),
      );
    }
  }
  expect(faults).toEqual([]);
}

/** What is wider than the window: the names of the elements, outermost first. Nothing where the page does not scroll sideways. */
const overflow = `(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  const wide = [...document.querySelectorAll('body *')].filter((each) => {
    const { left, right } = each.getBoundingClientRect();
    return right > clientWidth + 1 || left < -1;
  });
  const names = wide.slice(0, 5).map((each) => each.tagName.toLowerCase() + '.' + String(each.getAttribute('class')));
  return ['scrolls sideways, ' + scrollWidth + ' > ' + clientWidth + ': ' + names.join(', ')];
})()`;

export function findOverflow(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(overflow);
}

type Finding = {
  readonly id: string;
  readonly nodes: readonly { readonly target: unknown; readonly failureSummary?: string }[];
};

/** What keeps people from using the page, as axe finds it. */
export async function findBarriers(page: Page): Promise<string[]> {
  const violations = (await page.evaluate<boolean>('"axe" in window')) ? await runAgain(page) : await runFirst(page);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${String(target)}: ${failureSummary?.replaceAll(/\s+/gu, ' ')}`),
  );
}

/** Brings axe into the page. In legacy mode, because the other one opens a page more, for frames that ours do not have. */
async function runFirst(page: Page): Promise<readonly Finding[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(rules).setLegacyMode().analyze();
  return violations;
}

/** Where it is there already it takes 20 ms and not 160, most of which is the reading of its source (2026-11-21, four cores). */
function runAgain(page: Page): Promise<readonly Finding[]> {
  const options = JSON.stringify({ runOnly: rules, resultTypes: ['violations'] });
  return page.evaluate(`axe.run(document, ${options}).then(({ violations }) => violations)`);
}
