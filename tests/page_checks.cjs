// What a browser, axe-core and html-validate say of pages: node page_checks.cjs MODULES CHROMIUM PAGE…
// Prints JSON: for each page what is wrong with it, and what it asked the network for. Ends with 1 where there is any.
"use strict";
const { readFileSync } = require("node:fs");
const { pathToFileURL } = require("node:url");

const [modules, chromium, ...pages] = process.argv.slice(2);
const needed = (name) => require(require.resolve(name, { paths: [modules] }));
const puppeteer = needed("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js", { paths: [modules] }), "utf8");
const { HtmlValidate, StaticConfigLoader } = needed("html-validate");

const SCHEMES = ["light", "dark"];
const WIDTHS = [360, 1280];
const PATIENCE = 120000;

async function validated(path) {
  const validator = new HtmlValidate(new StaticConfigLoader({ extends: ["html-validate:standard", "html-validate:a11y"] }));
  const report = await validator.validateFile(path);
  return report.results.flatMap((one) => one.messages.map((m) => `${m.line}:${m.column} ${m.ruleId}: ${m.message}`));
}

async function seen(browser, path) {
  const page = await browser.newPage();
  const requests = [], errors = [], violations = [], wide = [];
  page.on("request", (one) => requests.push(one.url()));
  page.on("console", (one) => errors.push(one.text()));
  page.on("pageerror", (one) => errors.push(String(one)));
  for (const scheme of SCHEMES) {
    for (const width of WIDTHS) {
      await page.setViewport({ width, height: 900 });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.goto(pathToFileURL(path).href);
      for (const open of [false, true]) {
        await page.evaluate((open) => document.querySelectorAll("details").forEach((one) => (one.open = open)), open);
        await page.evaluate(axe);
        const found = await page.evaluate(async () => (await globalThis.axe.run(document)).violations);
        for (const one of found) {
          violations.push(`${scheme}, ${width}: ${one.id}: ${one.nodes.map((n) => n.html.slice(0, 150)).slice(0, 3).join(" | ")}`);
        }
        if (await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)) {
          wide.push(`${scheme}, ${width}, ${open ? "open" : "closed"}`);
        }
      }
    }
  }
  await page.close();
  const own = pathToFileURL(path).href;
  return { violations, errors, wide, requests: requests.filter((url) => url !== own), invalid: await validated(path) };
}

(async () => {
  const browser = await puppeteer.launch({
    executablePath: chromium,
    args: ["--no-sandbox", "--disable-gpu"], // a machine for tests may have no namespaces and no screen
    timeout: PATIENCE,
    protocolTimeout: PATIENCE,
  });
  const told = {};
  for (const path of pages) {
    told[path] = await seen(browser, path);
  }
  await browser.close();
  process.stdout.write(JSON.stringify(told, null, 1) + "\n");
  process.exitCode = Object.values(told).some((one) => Object.values(one).some((found) => found.length)) ? 1 : 0;
})();
