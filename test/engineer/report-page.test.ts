// The attack's page in a real browser: axe finds nothing in it, light and dark, wide and narrow, and nothing of it
// has to be scrolled sideways. The page is that of a shop with holes, one accepted and one thing open.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import axe from "axe-core";
import { chromium } from "playwright-core";
import { attackHtml } from "../../packages/server/src/attack.ts";
import { attackShopWithHoles } from "./shop-with-holes.case.ts";

const executablePath =
  process.env["CHROMIUM"] ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const skip =
  executablePath === undefined && "chromium is not installed (CHROMIUM names it elsewhere)";

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

test("the attack's page is one that everybody can read", { skip }, async () => {
  const html = attackHtml(await attackShopWithHoles(), { app: "shop", at: "2026-01-31 20:15 UTC" });
  const flags = ["--no-sandbox", "--disable-gpu"];
  const browser = await chromium.launch({ executablePath: executablePath ?? "", args: flags });
  try {
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [1_280, 390]) {
        const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
        await page.setContent(html);
        // Closed details are not looked at.
        await page.evaluate(() => {
          for (const each of document.querySelectorAll("details")) each.open = true;
        });
        await page.addScriptTag({ content: axe.source });
        const { violations } = await page.evaluate<AxeResult>("axe.run()");
        const said = violations.flatMap(({ id, nodes }) =>
          nodes.slice(0, 3).map((node) => `${id}: ${node.html} ${node.failureSummary}`),
        );
        assert.deepEqual(said, [], `${colorScheme} ${width}`);
        const hidden = await page.evaluate(
          () => document.documentElement.scrollWidth - window.innerWidth,
        );
        assert.ok(hidden <= 0, `${colorScheme} ${width}: ${hidden} pixels are out of sight`);
        await page.close();
      }
    }
  } finally {
    await browser.close();
  }
});
