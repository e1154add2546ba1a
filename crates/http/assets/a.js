/* Tributary browser script. No cookies: one random id in localStorage. Reference: /docs/browser-script */
(() => {
  const w = window, d = document, n = navigator, h = history, l = location, me = d.currentScript, early = w.mm;
  if (early && early.getAnonymousId) return; // loaded twice
  const CAP = 1000; // events waiting at most
  let key, host, every, most, aid, uid, timer, busy, view, only = 0, tries = 0, count = 0, queue = [], from = d.referrer;

  const refused = n.doNotTrack == 1 || w.doNotTrack == 1 || n.globalPrivacyControl;
  let off = refused;

  const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => (b + 256).toString(16).slice(1)).join("");
  // Ids sort as the events happened, also within a millisecond.
  const eventId = () => Date.now().toString(36) + (1e4 + (count++ % 1e4)).toString().slice(1) + random();
  // Storage may be blocked or full: then the value lives as long as the page.
  const stored = (area, name, value) => {
    try {
      const s = w[area];
      if (value === undefined) return s.getItem(name);
      value ? s.setItem(name, value) : s.removeItem(name);
    } catch {}
  };
  const getAnonymousId = () => aid || setAnonymousId((!off && stored("localStorage", "mm_aid")) || "u_" + random());
  const setAnonymousId = (id) => {
    if ((id = String(id ?? "").slice(0, 128))) aid = id;
    off || stored("localStorage", "mm_aid", aid);
    return aid;
  };

  const track = (event, properties) => {
    if (off || queue.length >= CAP || !(event = String(event ?? "").slice(0, 128))) return;
    const href = l.href, ambient = { $viewport_w: w.innerWidth, $viewport_h: w.innerHeight, $language: n.language };
    try {
      ambient.$timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    } catch {}
    for (const [name, value] of new URLSearchParams(l.search))
      if (/^(utm_\w+|msclkid|(g|fb|tt|d|tw|y)clid|[gw]braid|li_fat_id|rdt_cid|ScCid|epik)$/.test(name)) ambient[name] = value.slice(0, 256);
    queue.push({
      event, event_id: eventId(), timestamp: new Date().toISOString(), anonymous_id: getAnonymousId(), user_id: uid || undefined,
      url: href.length > 2048 ? (l.origin + l.pathname).slice(0, 2048) : href, path: l.pathname.slice(0, 2048),
      referrer: from.length > 2048 ? undefined : from || undefined, properties: { ...ambient, ...properties },
    });
    queue.length >= most ? send() : arm(every);
  };
  const page = (name, properties) => track("$pageview", name ? { name, ...properties } : properties);
  // `identify()` without an id forgets the person, as on logging out.
  const identify = (id, traits) => {
    uid = id ? String(id).slice(0, 256) : "";
    off || stored("sessionStorage", "mm_uid", uid);
    if (uid) track("$identify", traits);
  };

  const arm = (ms) => (timer ||= key && setTimeout(send, ms));
  const body = (events) => JSON.stringify({ events });
  // An event leaves the queue when the server has answered; until then it keeps its event_id, so nothing counts twice.
  const send = async () => {
    clearTimeout(timer);
    timer = 0;
    if (busy || !key || !queue.length) return busy;
    let done;
    busy = new Promise((resolve) => (done = resolve));
    const batch = queue.slice(0, only ? 1 : 100), text = body(batch);
    let status = 0, wait;
    try {
      const reply = await fetch(host + "/v1/batch", {
        method: "POST", body: text, credentials: "omit", keepalive: text.length < 2e4,
        headers: { Authorization: "Bearer " + key, "Content-Type": "application/json" },
      });
      status = reply.status;
      if (status > 299) {
        const why = await reply.json();
        wait = why.retry_after_s;
        status == 429 || status > 499 || console.warn("mm:", status, why);
      }
    } catch {}
    busy = 0;
    const keep = (wait) => (arm(wait), done());
    if (!status || status == 429 || status > 499) return keep(wait ? wait * 1e3 : Math.min(6e4, 1e3 * 2 ** tries++) * (1 + Math.random() / 4));
    tries = 0;
    // One bad event refuses a whole batch: send them singly, and a refused one once more without its clock, which may be wrong.
    const bad = status == 400 || status == 413;
    if (bad && batch[1]) only = batch.length;
    else if (bad && batch[0].timestamp) batch[0].timestamp = undefined;
    else {
      queue = queue.filter((event) => !batch.includes(event));
      only && only--;
    }
    if (queue.length) await send();
    done();
  };
  const flush = async () => send();
  // The page goes away: beacons carry no header, so the publishable key travels in the address.
  const leave = () => {
    for (let i = 0; key && i < queue.length; )
      n.sendBeacon(host + "/v1/batch?key=" + key, body(queue.slice(i, i + 20))) ? queue.splice(i, 20) : (i += 20);
  };

  const here = () => l.href.replace(/#(?![/!]).*/, "");
  const moved = () => {
    const now = here();
    if (now == view) return;
    from = view;
    view = now;
    page();
  };
  const init = (o) => {
    if (!o || !o.key || key == o.key) return;
    key ? leave() : d.addEventListener("visibilitychange", () => d.hidden && send());
    const first = !key;
    key = o.key;
    host = (o.host || l.origin).replace(/\/+$/, "");
    every = o.flushIntervalMs ?? 2000;
    most = o.flushBatchSize ?? 20;
    off = refused && !o.ignoreDnt;
    if (off) return (queue = []);
    uid ??= stored("sessionStorage", "mm_uid");
    queue.length && arm(every);
    if (!first) return;
    w.addEventListener("pagehide", leave);
    if (o.autoPageView === false) return;
    const start = () => ((view = here()), page());
    d.prerendering ? d.addEventListener("prerenderingchange", start, { once: true }) : start();
    w.addEventListener("pageshow", (e) => e.persisted && page());
    w.addEventListener("popstate", moved);
    for (const name of ["pushState", "replaceState"]) {
      const native = h[name];
      h[name] = function (...args) {
        native.apply(this, args);
        view && moved();
      };
    }
  };

  // Before this file arrives, pages may call `(window.mm ||= []).push(["track", "signup"])`; it keeps working afterwards.
  const mm = (w.mm = { init, track, identify, page, flush, getAnonymousId, setAnonymousId });
  mm.push = ([name, ...args]) => mm[name]?.(...args);
  if (me && me.dataset.key)
    init({
      key: me.dataset.key, host: me.dataset.host || new URL(me.src).origin,
      autoPageView: me.dataset.autoPageView != "false", ignoreDnt: me.dataset.ignoreDnt == "true",
    });
  if (Array.isArray(early)) early.forEach(mm.push);
})();
