// Makes pages quicker; none needs it. No markup is built from texts: every
// text goes in by textContent.
"use strict";

(() => {
  const KEYS_OFF = "assent.keys";

  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // What the script says, in the language of the page, which carries the words where they are not English.
  const WORDS = JSON.parse(document.body?.dataset.words || "{}");
  const told = (english, parts = {}) =>
    (WORDS[english] || english).replace(/\{#?(\w+)\}/g, (place, name) => parts[name] ?? place);

  // Days and hours as the house writes them: English is British, with 24 hours.
  const lang = document.documentElement.lang;
  const tongue = lang.startsWith("en") ? "en-GB" : lang;

  // Storage can be forbidden; then keys stay on.
  const areKeysOff = () => {
    try { return localStorage.getItem(KEYS_OFF) === "off"; } catch { return false; }
  };
  const setKeysOff = (off) => {
    try { localStorage.setItem(KEYS_OFF, off ? "off" : "on"); } catch { /* only this visit, then */ }
  };

  const isTyping = (target) =>
    target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;

  // The card that holds the focus, else the first one.
  const currentCard = () => {
    const focused = document.activeElement;
    return (focused && focused.closest("[data-card], .decision")) || one("[data-card], .decision") || one("main");
  };

  const moveCard = (step) => {
    const cards = all("[data-card]");
    if (cards.length === 0) return;
    const focused = document.activeElement && document.activeElement.closest("[data-card]");
    const place = focused ? cards.indexOf(focused) + step : 0;
    const next = cards[Math.min(Math.max(place, 0), cards.length - 1)];
    const link = one("a", next);
    if (link) link.focus();
    next.scrollIntoView({ block: "nearest" });
  };

  // A key opens an act that asks; a button that decides at once is only
  // focused, so that no slip of a finger decides: Enter does.
  const useKey = (key) => {
    const card = currentCard();
    const act = key === "U" ? one('[data-key="U"]') : card && one(`[data-key="${key}"]`, card);
    if (!act) return false;
    if (act.tagName === "SUMMARY") {
      act.parentElement.open = true;
      const field = one("textarea, input:not([type=hidden]), select", act.parentElement);
      (field || act).focus();
    } else {
      act.focus();
    }
    return true;
  };

  const press = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || areKeysOff()) return;
    const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
    if (key === "/") one(".find input")?.focus();
    else if (key === "?") one("nav a[href$='/help']")?.click();
    else if (key === "J") moveCard(1);
    else if (key === "K") moveCard(-1);
    else if (!"ACRXUNT".includes(key) || key.length !== 1 || !useKey(key)) return;
    event.preventDefault();
  };

  // A form that is on its way is not sent twice.
  const guard = (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "true";
  };
  const unguard = () => all("form[data-sent]").forEach((form) => delete form.dataset.sent);

  // Whether a hand is at work inside: then it stays as it is, hidden fields and all, so that nobody sends what
  // they did not read.
  const isInUse = (element) =>
    element.contains(document.activeElement) && document.activeElement !== document.body ||
    one("details[open] form", element) !== null ||
    all("textarea, input:not([type=hidden])", element).some((field) => field.value !== field.defaultValue);

  const isForm = (element) => ["FORM", "DETAILS"].includes(element.tagName);

  // Brings an element to what the server says now, node by node: what is equal is not touched, so focus, place and
  // what is open stay.
  const bring = (old, now) => {
    if (isForm(old) && isInUse(old)) return;
    for (const { name, value } of [...now.attributes]) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (!now.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    }
    const isSame = (left, right) =>
      left.nodeType === right.nodeType && left.nodeName === right.nodeName && (left.id || "") === (right.id || "");
    const rest = [...old.childNodes];
    let place = 0;
    for (const next of [...now.childNodes]) {
      const at = rest.findIndex((node, number) => number >= place && isSame(node, next));
      if (at < 0) {
        old.insertBefore(document.importNode(next, true), rest[place] || null);
        continue;
      }
      for (const gone of rest.slice(place, at)) gone.remove();
      place = at + 1;
      const node = rest[at];
      if (node.nodeType === Node.ELEMENT_NODE) bring(node, next);
      else if (node.nodeValue !== next.nodeValue) node.nodeValue = next.nodeValue;
    }
    for (const gone of rest.slice(place)) gone.remove();
  };

  // A page holds only the icons that it was made with; what is brought in may need others.
  const bringIcons = (fresh) => {
    const sprite = one("svg.sprite");
    for (const symbol of all("svg.sprite symbol", fresh)) {
      if (sprite && !document.getElementById(symbol.id)) sprite.append(document.importNode(symbol, true));
    }
  };

  const say = (() => {
    let line = null;
    return (words, href, word) => {
      if (!line || !line.isConnected) {
        line = document.createElement("p");
        line.className = "toast news-line";
        line.setAttribute("role", "status");
        one("main").prepend(line);
      }
      const link = document.createElement("a");
      link.href = href;
      link.textContent = word;
      line.replaceChildren(words, link);
    };
  })();

  // A page about one change follows it in place, unless what is decided was edited meanwhile. A list keeps its order
  // and only says that there is more: nothing moves under a finger.
  const show = (fresh, count) => {
    bringIcons(fresh);
    const nav = one("nav.side");
    const freshNav = one("nav.side", fresh);
    if (nav && freshNav) bring(nav, freshNav);
    const [card, freshCard] = [one("[data-digest]"), one("[data-digest]", fresh)];
    const words = count === 1 ? told("1 new entry, ") : told("{#n} new entries, ", { n: count });
    if (!one("[data-follow]") || !one("[data-follow]", fresh)) {
      for (const row of all("tr[id]")) {
        const next = fresh.getElementById(row.id);
        if (next) bring(row, next);
      }
      say(words, location.href, told("show"));
      return;
    }
    if (card && freshCard && card.dataset.digest !== freshCard.dataset.digest) {
      say(told("It was edited while you read it, "), location.href, told("show"));
      return;
    }
    document.title = fresh.title;
    bring(one("[data-follow]"), one("[data-follow]", fresh));
    if (one("#timeline")) say(words, "#timeline", told("see the timeline"));
  };

  // Between two looks, in milliseconds: what others do is on the page within a second. Where the news never rests, a page
  // looks more seldom after some of it, until there was a while without any.
  const SOON = 800;
  const SELDOM = 3000;
  const WHILE = 10000;
  const MANY = 5;

  const follow = (address) => {
    let stream = null;
    let count = 0;
    let waits = false;
    let last = -SELDOM;
    let looks = 0;
    const pause = () => {
      if (performance.now() - last > WHILE) looks = 0;
      return looks < MANY ? SOON : SELDOM;
    };
    const look = async () => {
      waits = false;
      looks += 1;
      last = performance.now();
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      // Somebody who was signed out meanwhile reads on; the next click leads to the door.
      if (!answer.ok || answer.redirected) return;
      show(new DOMParser().parseFromString(await answer.text(), "text/html"), count);
    };
    let newest = -1;
    const arrived = (event) => {
      // A stream that is opened anew begins where the page was made, and tells again what was counted.
      const index = Number(event.lastEventId);
      if (index <= newest) return;
      newest = index;
      count += 1;
      if (waits) return;
      waits = true;
      setTimeout(look, Math.max(50, last + pause() - performance.now()));
    };
    const open = () => {
      stream = new EventSource(address);
      stream.addEventListener("message", arrived);
    };
    const close = () => { stream?.close(); stream = null; };
    // A browser keeps few connections to one host: a page that nobody looks at gives its own back.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) close();
      else if (!stream) open();
    });
    addEventListener("pagehide", close);
    if (!document.hidden) open();
  };

  // The runbook: a tap is kept on this device until the server has it, with the time it was made and under a key that
  // makes a repeated one the same. Only the person who made it sends it.
  const TAPS = "assent.taps";
  const newKey = () =>
    [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  const runbook = (root) => {
    const person = root.dataset.person;
    const address = root.dataset.runbook;
    let kept = [];
    let wait = 1000;
    let isBusy = false;
    let trouble = "";
    // Storage can be forbidden; then taps live as long as the page.
    try { kept = JSON.parse(localStorage.getItem(TAPS)) || []; } catch { kept = []; }
    const keep = () => { try { localStorage.setItem(TAPS, JSON.stringify(kept)); } catch { /* the page holds them */ } };
    const own = () => kept.filter((tap) => tap.person === person);

    const tell = () => {
      const line = one("[data-taps]", root);
      const count = own().length;
      const waiting = count === 1
        ? told("No connection. 1 tap is kept on this device and will go out, with the time of each.")
        : told("No connection. {#n} taps are kept on this device and will go out, with the time of each.", { n: count });
      line.hidden = count === 0 && trouble === "";
      one("span", line).textContent = trouble || (count > 0 ? waiting : "");
    };

    // The clock of the step begins anew; how long the next one may take is told once the server answers again.
    const restart = () => {
      const step = one(".clocks > div", root);
      const now = new Date();
      if (!step || all(".clocks > div", root).length < 2) return;
      one("[data-count]", step).dataset.count = now.toISOString();
      one("[data-count]", step).nextElementSibling.textContent = "";
      one(".clock", step).textContent = now.toLocaleTimeString(tongue, { hour: "2-digit", minute: "2-digit" });
      one(".clock", step).classList.remove("late");
    };

    const hideDone = () => all("form[data-done-step]", root).forEach((form) => { form.hidden = true; });

    // Without a connection the steps back stand open, and nothing leads forward any more.
    const turnBack = () => {
      hideDone();
      all("form[data-turn-back]", root).forEach((form) => { form.hidden = true; });
      one("[data-way-back]", root)?.setAttribute("open", "open");
    };

    // Without a connection the next step is shown from what the page knows already.
    const advance = (number) => {
      const steps = all("[data-steps] li", root);
      if (steps[number - 1]) steps[number - 1].dataset.done = "true";
      const next = steps.findIndex((step) => step.dataset.done !== "true");
      const put = (name, text) => all(`[data-run="${name}"]`, root).forEach((field) => { field.textContent = text; });
      all(".progress li", root).forEach((mark, place) => {
        mark.className = place === next ? "now" : steps[place].dataset.done === "true" ? "past" : "";
      });
      const isBack = root.dataset.back === "true";
      if (next < 0) {
        const all = { n: steps.length, all: steps.length };
        put("title", isBack ? told("Every step back is done") : told("Every step is done"));
        put("progress", isBack ? told("{#n} of {#all} steps back done", all) : told("{#n} of {#all} steps done", all));
        hideDone();
        return;
      }
      put("title", steps[next].textContent);
      for (const name of ["check", "who"]) {
        const text = steps[next].dataset[name];
        put(name, text);
        all(`[data-run-hold="${name}"]`, root).forEach((field) => { field.hidden = text === ""; });
      }
      restart();
      const place = { n: next + 1, all: steps.length };
      put("progress", isBack ? told("Rolling back, step {#n} of {#all}", place) : told("Step {#n} of {#all}", place));
      all("[data-run-step]", root).forEach((field) => { field.value = String(next + 1); });
      all("[data-run-text]", root).forEach((field) => { field.value = steps[next].textContent; });
    };

    const refresh = async () => {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = one("[data-follow]", page);
      bringIcons(page);
      if (fresh) bring(root, fresh);
      tell();
    };

    // Whether a tap is settled: taken, or refused for good and told.
    const send = async (tap) => {
      const head = { "Content-Type": "application/json", "Idempotency-Key": tap.key };
      const answer = await fetch(tap.to, { method: "POST", headers: head, body: JSON.stringify(tap.body) });
      if (answer.ok) return true;
      if (answer.status === 401) {
        trouble = told("You are signed out. Sign in again; what you tapped is kept.");
        return false;
      }
      if (answer.status >= 500 || answer.status === 429) return false;
      const refusal = await answer.json();
      // This device's clock runs ahead of the server's: then the server's time counts.
      if ((refusal.errors || []).some((error) => error.field === "occurred_at")) {
        delete tap.body.occurred_at;
        tap.key = newKey();
        return false;
      }
      trouble = told("Not noted: {text}. {why}", { text: tap.body.text, why: refusal.detail || "" });
      return true;
    };

    const flush = async () => {
      if (isBusy) return;
      isBusy = true;
      let sent = null;
      for (const tap of own()) {
        let isSettled = false;
        try { isSettled = await send(tap); } catch { isSettled = false; }
        if (!isSettled) break;
        kept = kept.filter((other) => other !== tap);
        keep();
        sent = tap;
      }
      isBusy = false;
      tell();
      if (own().length > 0) {
        setTimeout(flush, wait);
        wait = Math.min(wait * 2, 15000);
        return;
      }
      wait = 1000;
      if (sent) refresh().catch(() => {});
    };

    const tap = (event) => {
      const form = event.target;
      if (!form.dataset.tap) return;
      event.preventDefault();
      const body = Object.fromEntries(new FormData(form));
      const next = body.next;
      delete body.next;
      delete body.once;
      if (!body.text.trim()) return;
      if (body.step) body.step = Number(body.step);
      body.occurred_at = new Date().toISOString();
      kept.push({ key: newKey(), person, to: address, body, next });
      keep();
      trouble = "";
      document.activeElement?.blur();
      if (form.dataset.doneStep) advance(body.step);
      else if (form.dataset.turnBack) turnBack();
      else form.closest("details")?.removeAttribute("open");
      form.reset();
      flush();
    };

    const count = () => all("[data-count]", root).forEach((field) => {
      const at = Date.parse(field.dataset.count);
      if (Number.isNaN(at)) return;
      const seconds = Math.round(Math.abs(Date.now() - at) / 1000);
      const two = (number) => String(Math.floor(number) % 60).padStart(2, "0");
      const clock = seconds < 3600 ? `${two(seconds / 60)}:${two(seconds)}` : told("{#h} h {#min} min", { h: Math.floor(seconds / 3600), min: two(seconds / 60) });
      const rest = field.nextElementSibling?.textContent ? ", " : "";
      field.textContent = at > Date.now() ? `${told("in {time}", { time: clock })}${rest}` : `${clock}${rest}`;
    });

    root.addEventListener("submit", tap);
    addEventListener("online", () => { wait = 1000; flush(); });
    setInterval(count, 1000);
    count();
    tell();
    if (own().length > 0) flush();
  };

  // A form is kept on this device while it is typed, until the server has taken it, for a week at most.
  const DRAFT = "assent.draft:";
  const WEEK = 7 * 24 * 3600 * 1000;

  const allDrafts = () => {
    try { return Object.keys(localStorage).filter((name) => name.startsWith(DRAFT)); } catch { return []; }
  };
  const loadDraft = (name) => {
    try { return JSON.parse(localStorage.getItem(name)); } catch { return null; }
  };

  const drafts = (form) => {
    const name = `${DRAFT}${form.dataset.draft}:${new URL(form.action).pathname}`;
    const line = one("[data-kept]");
    const isBox = (field) => field.type === "checkbox" || field.type === "radio";
    const fields = () => all(":is(input:not([type=hidden]), textarea, select)[name]", form);
    // Fields of one name, such as boxes, are told apart by their value and their order.
    const values = () => {
      const seen = {};
      return fields().map((field) => {
        const key = isBox(field) ? `${field.name}=${field.value}` : field.name;
        seen[key] = (seen[key] || 0) + 1;
        return [`${key}#${seen[key]}`, isBox(field) ? field.checked : field.value];
      });
    };
    const save = (isSent) => {
      try {
        localStorage.setItem(name, JSON.stringify({ at: Date.now(), isSent, values: values() }));
      } catch { /* Without room the page holds it. */ }
    };
    const put = (kept) => {
      const known = new Map(kept.values);
      values().forEach(([key], place) => {
        if (!known.has(key)) return;
        const field = fields()[place];
        if (isBox(field)) field.checked = known.get(key);
        else field.value = known.get(key);
        const fold = field.closest("details");
        if (fold && field.value !== field.defaultValue) fold.open = true;
      });
    };
    const kept = loadDraft(name);
    const now = new Map(values());
    const differs = kept && kept.values.some(([key, value]) => now.has(key) && now.get(key) !== value);
    if (kept && Date.now() - kept.at > WEEK) localStorage.removeItem(name);
    // Beside what another wrote stands what was sent from here already.
    else if (differs && !document.getElementById("both")) {
      const when = new Date(kept.at).toLocaleString(tongue, { dateStyle: "medium", timeStyle: "short" });
      one("[data-kept-words]", line).textContent = told("What you typed here on {when} is kept on this device.", { when });
      one("[data-put]", line).addEventListener("click", () => { put(kept); line.hidden = true; });
      one("[data-drop]", line).addEventListener("click", () => { localStorage.removeItem(name); line.hidden = true; });
      line.hidden = false;
    }
    let timer = 0;
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => save(false), 200);
    });
    form.addEventListener("submit", () => { clearTimeout(timer); save(true); });
  };

  // A time that fits is put in at once; without script the form comes back with it.
  const fit = (event) => {
    const button = event.target.closest?.("button[name=fit]");
    const [start, end] = button?.value.split("/") ?? [];
    const fields = button?.form.elements;
    if (!end || !fields.planned_start || !fields.planned_end) return;
    event.preventDefault();
    fields.planned_start.value = start;
    fields.planned_end.value = end;
    fields.planned_start.dispatchEvent(new Event("input", { bubbles: true }));
    fields.planned_end.dispatchEvent(new Event("input", { bubbles: true }));
    fields.planned_start.focus();
  };

  // What speaks against the typed time is asked of the server, which answers the form with it and keeps nothing; the
  // fields stay as they are.
  const HEARD = ["warned", "planned_start-w"];
  const ASKS = /^(planned_(start|end)|targets\.\d+\.(service|environment))$/;
  const hear = (form) => {
    let asked = 0;
    const ask = async () => {
      const turn = (asked += 1);
      const body = new URLSearchParams(new FormData(form));
      body.set("fit", "look");
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
      // Who was signed out meanwhile, or types on, hears of it another time.
      if (!answer.ok || answer.redirected || turn !== asked) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      bringIcons(fresh);
      for (const id of HEARD) {
        const [old, now] = [document.getElementById(id), fresh.getElementById(id)];
        if (old && now) bring(old, now);
      }
      const [old, now] = [one("[data-fits]", form), one("[data-fits]", fresh)];
      if (old && now) bring(old, now);
    };
    let timer = 0;
    const later = (event) => {
      if (!ASKS.test(event.target.name)) return;
      clearTimeout(timer);
      timer = setTimeout(() => ask().catch(() => {}), 400);
    };
    form.addEventListener("input", later);
    form.addEventListener("change", later);
  };

  // What was taken is forgotten, and everything with the one who signs out.
  const forgetSent = () => allDrafts().filter((name) => loadDraft(name)?.isSent).forEach((name) => localStorage.removeItem(name));
  const forgetAll = () => allDrafts().forEach((name) => localStorage.removeItem(name));

  const offerSwitch = (button) => {
    const name = () => { button.textContent = areKeysOff() ? told("Turn the keys on") : told("Turn the keys off"); };
    button.hidden = false;
    button.addEventListener("click", () => { setKeysOff(!areKeysOff()); name(); });
    name();
  };

  // A passkey: the authenticator is asked what the page was given, and its answer goes out with the form. In a browser
  // that does not know passkeys, as without script, the page names the other way.
  const passkey = (form) => {
    const known = globalThis.PublicKeyCredential;
    if (!known?.parseCreationOptionsFromJSON || !known.prototype.toJSON) return;
    const field = one("input[name=response]", form);
    const line = one("[data-passkey-error]", form);
    one("[data-passkey-without]").hidden = true;
    form.hidden = false;
    const ask = () => {
      const options = JSON.parse(form.dataset.passkey);
      if (form.dataset.ceremony === "create") {
        return navigator.credentials.create({ publicKey: known.parseCreationOptionsFromJSON(options) });
      }
      return navigator.credentials.get({ publicKey: known.parseRequestOptionsFromJSON(options) });
    };
    form.addEventListener("submit", async (event) => {
      if (field.value) return;
      event.preventDefault();
      line.hidden = true;
      try {
        field.value = JSON.stringify((await ask()).toJSON());
        form.submit();
      } catch (error) {
        const isThere = error.name === "InvalidStateError";
        line.textContent = isThere
          ? told("This authenticator has a passkey of yours already.")
          : told("No passkey was used. Try again, or go back.");
        line.hidden = false;
      }
    });
  };

  // The head's box picks every row, says when some are picked, and stands in for the link that does so without script.
  const pickAll = (link) => {
    const form = link.closest("form");
    const boxes = () => all("tbody .pick input", form);
    const head = document.createElement("input");
    const count = one("[data-picked]", form);
    const tell = () => {
      const rows = boxes();
      const n = rows.filter((box) => box.checked).length;
      head.checked = n > 0 && n === rows.length;
      head.indeterminate = n > 0 && n < rows.length;
      count.textContent = told("{#n} of {#all} selected", { n, all: rows.length });
    };
    const set = (isPicked) => {
      boxes().forEach((box) => { box.checked = isPicked; });
      tell();
    };
    head.type = "checkbox";
    head.setAttribute("aria-label", told("Select all on this page"));
    head.addEventListener("change", () => set(head.checked));
    count.setAttribute("role", "status");
    form.addEventListener("change", (event) => { if (event.target !== head) tell(); });
    form.addEventListener("reset", () => setTimeout(tell));
    one("[data-pick-none]", form)?.addEventListener("click", (event) => { event.preventDefault(); set(false); });
    // A browser that comes back to the page has ticked the boxes again by then.
    addEventListener("pageshow", tell);
    link.replaceWith(head);
    tell();
  };

  // The time that is left of a time box; behind its end how much it is over.
  const countDown = () => all("[data-until]").forEach((field) => {
    const at = Date.parse(field.dataset.until);
    if (Number.isNaN(at)) return;
    const seconds = Math.round((at - Date.now()) / 1000);
    const two = (number) => String(Math.floor(number) % 60).padStart(2, "0");
    const left = Math.abs(seconds);
    field.textContent = `${seconds < 0 ? "+" : ""}${Math.floor(left / 60)}:${two(left)}`;
    field.classList.toggle("late", seconds < 0);
  });
  if (one("[data-until]")) {
    countDown();
    setInterval(countDown, 1000);
  }

  // A field that searches offers what fits the letters typed so far; without an answer it is a line of text.
  const pick = (field) => {
    const list = field.list;
    let timer = 0;
    let asked = 0;
    const ask = async () => {
      const turn = (asked += 1);
      const url = `${field.dataset.pick}?q=${encodeURIComponent(field.value)}`;
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok || answer.redirected || turn !== asked) return;
      const { items } = await answer.json();
      list.replaceChildren(...items.map(({ value, label }) => {
        const option = document.createElement("option");
        option.value = value;
        option.textContent = label;
        return option;
      }));
    };
    field.addEventListener("focus", ask, { once: true });
    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, 150);
    });
  };

  addEventListener("keydown", press);
  addEventListener("submit", guard);
  addEventListener("click", fit);
  addEventListener("pageshow", unguard);
  one("[data-answer]")?.focus();
  const toggle = one("[data-keys-switch]");
  if (toggle) offerSwitch(toggle);
  if (new URLSearchParams(location.search).has("done") && one(".notice.ok[data-answer]")) forgetSent();
  const draft = one("form[data-draft]");
  if (draft) drafts(draft);
  if (draft && document.getElementById("planned_start-w")) hear(draft);
  one("form[action$='/sign-out']")?.addEventListener("submit", forgetAll);
  const steps = one("[data-runbook]");
  if (steps) runbook(steps);
  const asked = one("form[data-passkey]");
  if (asked) passkey(asked);
  all("[data-pick]").forEach(pick);
  const every = one("[data-pick-all]");
  if (every) pickAll(every);
  const address = one("[data-stream]")?.dataset.stream;
  if (address) follow(address);
})();
