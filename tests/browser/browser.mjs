// Drives Chromium: a small site on its own port (another origin than the server) carries the script as a customer's would.
// Settings come as JSON on stdin; every check is printed as one JSON line.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const { server, site, keys, browser: executablePath } = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(process.env.TRIBUTARY_NODE_PACKAGES + "/index.js");
const { chromium } = require("playwright-core");
const origin = `http://127.0.0.1:${site}`;
const WAIT_MS = 15_000; // the longest an event may take from the page to the answer

const say = (text) => console.log(JSON.stringify({ say: text }));
const check = (claim, holds, detail = "") => console.log(JSON.stringify({ claim, holds: !!holds, detail: typeof detail == "string" ? detail : JSON.stringify(detail) }));
const equal = (claim, found, expected) => check(claim, JSON.stringify(found) == JSON.stringify(expected), { found, expected });

const html = (head) => `<!doctype html><meta charset="utf-8"><title>Shop</title>${head}<p>A shop.</p>`;
const tag = (more = "") => `<script async src="${server}/v1/a.js" data-key="${keys.pk}" data-host="${server}" ${more}></script>`;
const pages = {
  "/": html(tag()),
  "/second": html(tag()),
  "/early": html(`<script>(window.mm ||= []).push(["track", "early_call", { n: 1 }])</script>${tag()}`),
  "/blank": html(""),
  "/manual": html(`<script src="${server}/v1/a.js"></script>`),
};
const shop = createServer((request, reply) => {
  const page = pages[new URL(request.url, origin).pathname];
  reply.writeHead(page ? 200 : 404, { "Content-Type": "text/html" }).end(page ?? "");
}).listen(site, "127.0.0.1");

// Every test has a visitor of its own, found again by anonymous_id.
async function events(visitor, least = 0) {
  const query = new URLSearchParams({ from: "2000-01-01", to: "2100-01-01", anonymous_id: visitor, limit: "1000" });
  for (const until = Date.now() + WAIT_MS; ; ) {
    const reply = await fetch(`${server}/v1/query?${query}`, { headers: { Authorization: `Bearer ${keys.rk}` } });
    const rows = (await reply.json()).rows.reverse();
    if (rows.length >= least || Date.now() > until) return rows.map((row) => ({ ...row, properties: JSON.parse(row.properties) }));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const names = (rows) => rows.map((row) => row.event_name);

// Real visitors do not call themselves headless, and bots are left out of answers. Set for the whole process: a beacon that
// leaves after its page does not carry a page's own setting.
const userAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", `--user-agent=${userAgent}`] });
async function visit(path, options = {}, before = async () => {}) {
  const context = await browser.newContext({ viewport: { width: 1111, height: 777 }, locale: "de-DE", timezoneId: "Europe/Berlin", ...options });
  const page = await context.newPage();
  await before(page, context);
  await page.goto(origin + path);
  await page.waitForFunction(() => window.mm?.getAnonymousId);
  const visitor = await page.evaluate(() => mm.getAnonymousId());
  return { context, page, visitor };
}

say(`Chromium ${browser.version()}, site ${origin}, server ${server}`);
{
  const script = await fetch(`${server}/v1/a.js`);
  const text = await script.text();
  const size = gzipSync(text).length;
  check(`a.js is ${size} bytes gzipped, under 3,000`, size < 3000);
  equal("a.js is served as JavaScript", script.headers.get("content-type").split(";")[0], "application/javascript");
}
{
  const { context, page, visitor } = await visit("/?utm_source=news&utm_medium=email&utm_campaign=may&gclid=");
  const [view] = await events(visitor, 1);
  equal("a page view arrives", view?.event_name, "$pageview");
  equal("with address, path, source, campaign", [view?.path, view?.source, view?.medium, view?.campaign], ["/", "news", "email", "may"]);
  const { $viewport_w, $viewport_h, $language, $timezone, utm_source, utm_medium } = view?.properties ?? {};
  equal("with viewport, language, time zone and utm parameters", [$viewport_w, $viewport_h, $language, $timezone, utm_source, utm_medium],
    [1111, 777, "de-DE", "Europe/Berlin", "news", "email"]);
  equal("with the visitor's device", view?.device_type, "desktop");
  equal("there are no cookies", await context.cookies(), []);
  equal("the visitor's id is kept in localStorage", await page.evaluate(() => localStorage.mm_aid), visitor);

  await page.evaluate(() => history.pushState({}, "", "/products"));
  await page.evaluate(() => history.pushState({}, "", "/products#reviews"));
  await page.evaluate(() => history.replaceState({}, "", "/products"));
  await page.evaluate(() => history.replaceState({}, "", "/products/1"));
  await page.goBack();
  await page.evaluate(() => mm.flush());
  const rows = await events(visitor, 4);
  equal("pushState, replaceState and back are page views, fragments are not", rows.map((row) => row.path), ["/", "/products", "/products/1", "/products"]);
  check("an inner page view is referred by the page before it", rows[1]?.referrer?.startsWith(origin + "/") && rows[1]?.source == "internal", rows[1]);

  await page.evaluate(() => mm.identify("user_7", { plan: "pro" }));
  await page.evaluate(() => mm.track("clicked_pricing", { plan: "pro" }));
  await page.evaluate(() => mm.page("modal"));
  await page.evaluate(() => mm.flush());
  const later = (await events(visitor, 7)).slice(4);
  equal("identify, track and page arrive with the user_id", later.map((row) => [row.event_name, row.user_id]),
    [["$identify", "user_7"], ["clicked_pricing", "user_7"], ["$pageview", "user_7"]]);
  equal("with traits and properties", [later[0]?.properties.plan, later[1]?.properties.plan, later[2]?.properties.name], ["pro", "pro", "modal"]);
  await page.goto(origin + "/second");
  equal("the next page of the tab has the same visitor and person", (await events(visitor, 8)).slice(7).map((row) => [row.path, row.user_id]), [["/second", "user_7"]]);
  await page.evaluate(() => { mm.identify(); mm.track("after_logout"); return mm.flush(); });
  equal("identify() without an id forgets the person", (await events(visitor, 9)).at(-1)?.user_id, null);
  await page.evaluate(() => { mm.setAnonymousId("my_own_id"); mm.track("own_id"); return mm.flush(); });
  equal("setAnonymousId is used", names(await events("my_own_id", 1)), ["own_id"]);
  await context.close();
}
{
  const { context, visitor } = await visit("/early");
  equal("calls made before the script came are kept", names(await events(visitor, 2)).sort(), ["$pageview", "early_call"]);
  await context.close();
}
{
  const { context, page, visitor } = await visit("/manual");
  equal("without data-key nothing is sent", names(await events(visitor)), []);
  await page.evaluate(([key, host]) => {
    mm.init({ key, host, autoPageView: false, flushBatchSize: 3, flushIntervalMs: 60_000 });
    mm.init({ key, host });
    mm.track("one");
    mm.track("two");
  }, [keys.pk, server]);
  equal("events wait for the batch", names(await events(visitor)), []);
  await page.evaluate(() => mm.track("three"));
  equal("init by hand: the third event sends the batch, without page view", names(await events(visitor, 3)), ["one", "two", "three"]);
  await context.close();
}
{
  const { context, page, visitor } = await visit("/");
  await events(visitor, 1);
  const attempts = [];
  await page.route("**/v1/batch", async (route) => {
    attempts.push(JSON.parse(route.request().postData()).events.map((event) => event.event_id).join());
    if (attempts.length == 1) return route.abort("internetdisconnected");
    // Stored by the server, but the answer is lost: only event_id keeps the repetition from counting twice.
    if (attempts.length == 2) return (await route.fetch(), route.abort("connectionreset"));
    if (attempts.length == 3) return route.fulfill({ status: 503, headers: { "Access-Control-Allow-Origin": origin }, contentType: "application/json", body: '{"error":"overloaded","retry_after_s":1}' });
    return route.continue();
  });
  await page.evaluate(() => { mm.track("offline_1"); mm.track("offline_2"); return mm.flush(); });
  for (const until = Date.now() + WAIT_MS; attempts.length < 4 && Date.now() < until; ) await page.waitForTimeout(100);
  await page.waitForTimeout(300);
  check("network failures and 503 are retried with the same event ids", attempts.length == 4 && new Set(attempts).size == 1, attempts);
  equal("and counted once", names(await events(visitor, 3)), ["$pageview", "offline_1", "offline_2"]);
  await context.close();
}
{
  const { context, page, visitor } = await visit("/");
  await events(visitor, 1);
  await page.evaluate(() => { mm.track("good_1"); mm.track("bad", { text: "x".repeat(20_000) }); mm.track("good_2"); return mm.flush(); });
  equal("one refused event does not take the others with it", names(await events(visitor, 3)), ["$pageview", "good_1", "good_2"]);
  await context.close();
}
{
  // The page is gone when its beacon leaves: it notes what it hands over.
  const note = `const native = navigator.sendBeacon; navigator.sendBeacon = function (url, body) {
    localStorage.beacon = JSON.stringify([new URL(url).pathname, new URL(url).searchParams.get("key"), typeof body]);
    return native.call(this, url, body);
  }`;
  const { context, page, visitor } = await visit("/", {}, (page) => page.addInitScript(note));
  await events(visitor, 1);
  await page.evaluate(() => mm.track("last_words"));
  await page.goto("about:blank");
  equal("leaving the page sends the rest", names(await events(visitor, 2)), ["$pageview", "last_words"]);
  await page.goto(origin + "/blank");
  equal("as a beacon with the key in its address and a text body", await page.evaluate(() => JSON.parse(localStorage.beacon)), ["/v1/batch", keys.pk, "string"]);
  await page.goto(origin + "/");
  await events(visitor, 3);
  await page.evaluate(() => mm.track("closing"));
  await page.close({ runBeforeUnload: true });
  equal("so does closing the tab", names(await events(visitor, 4)).at(-1), "closing");
  await context.close();
}
{
  const refused = (value) => async (page) => page.addInitScript(`Object.defineProperty(Navigator.prototype, ${JSON.stringify(value[0])}, { get: () => ${value[1]} })`);
  for (const signal of [["doNotTrack", '"1"'], ["globalPrivacyControl", "true"]]) {
    const sent = [];
    const { context, page } = await visit("/", {}, async (page, context) => {
      context.on("request", (request) => request.url().includes("/v1/batch") && sent.push(request.url()));
      await refused(signal)(page);
    });
    await page.evaluate(() => { mm.track("no"); mm.identify("no"); return mm.flush(); });
    await page.goto("about:blank");
    await page.goto(origin + "/");
    equal(`with ${signal[0]} nothing is sent and nothing is stored`, [sent, await page.evaluate(() => [localStorage.length, sessionStorage.length])], [[], [0, 0]]);
    await context.close();
  }
  const { context, page, visitor } = await visit("/manual", {}, refused(["doNotTrack", '"1"']));
  await page.evaluate(([key, host]) => { mm.init({ key, host, ignoreDnt: true }); return mm.flush(); }, [keys.pk, server]);
  equal("ignoreDnt overrides it", names(await events(visitor, 1)), ["$pageview"]);
  await context.close();
}
{
  const { context, visitor } = await visit("/", {}, async (page) => page.addInitScript(
    `for (const area of ["localStorage", "sessionStorage"]) Object.defineProperty(window, area, { get() { throw new DOMException("blocked", "SecurityError") } })`));
  equal("with storage blocked the id lives in memory", names(await events(visitor, 1)), ["$pageview"]);
  await context.close();
}
{
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(origin + "/blank");
  const ask = (key, headers) => page.evaluate(async ([url, headers]) => {
    try {
      const reply = await fetch(url, { method: "POST", headers, body: '{"event":"cors"}' });
      return [reply.status, (await reply.json()).error ?? null];
    } catch (error) {
      return [0, String(error)];
    }
  }, [server + "/v1/track", { Authorization: "Bearer " + key, "Content-Type": "application/json", ...headers }]);
  equal("a listed origin may send (preflight and request)", await ask(keys.pk), [202, null]);
  await page.goto(`http://localhost:${site}/blank`);
  equal("an unlisted origin can read why it may not", await ask(keys.pk), [403, "origin_not_allowed"]);
  const preflight = await fetch(server + "/v1/track", { method: "OPTIONS", headers: { Origin: origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type" } });
  check("the preflight is answered", preflight.ok && preflight.headers.get("access-control-allow-origin"), `${preflight.status} ${JSON.stringify([...preflight.headers])}`);
  await context.close();
}
{
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints = [], foreign = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => request.url().startsWith(server) || foreign.push(request.url()));
  for (const path of ["/", "/docs", "/docs/quickstart", "/docs/errors"]) {
    const reply = await page.goto(server + path);
    equal(`${path} answers`, reply.status(), 200);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
      check(`${path} fits its window, ${colorScheme}`, wide);
    }
  }
  await page.goto(server + "/");
  await page.getByRole("tab", { name: "Cursor" }).click();
  const config = await page.locator(".panel:visible code").last().textContent();
  equal("the Cursor configuration names this server", JSON.parse(config).mcpServers.tributary.url, server + "/mcp");
  await page.setViewportSize({ width: 390, height: 800 });
  check("the front page fits a phone", await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  equal("the pages raise no complaint in the console", complaints, []);
  equal("and load nothing from elsewhere", foreign, []);
  await context.close();
}
await browser.close();
shop.close();
shop.closeAllConnections();
