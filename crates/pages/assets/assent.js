// Makes pages quicker; none needs it. No markup is built from texts: every
// text goes in by textContent.
"use strict";

(() => {
  const KEYS_OFF = "assent.keys";

  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

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
    return (focused && focused.closest("[data-card], .decision")) || one("[data-card], .decision");
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
    else if (!"ACRXU".includes(key) || key.length !== 1 || !useKey(key)) return;
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
    const nav = one("nav.side");
    const freshNav = one("nav.side", fresh);
    if (nav && freshNav) bring(nav, freshNav);
    const [card, freshCard] = [one("[data-digest]"), one("[data-digest]", fresh)];
    const words = count === 1 ? "1 new entry, " : `${count} new entries, `;
    if (!one("[data-follow]") || !one("[data-follow]", fresh)) {
      for (const row of all("tr[id]")) {
        const next = fresh.getElementById(row.id);
        if (next) bring(row, next);
      }
      say(words, location.href, "show");
      return;
    }
    if (card && freshCard && card.dataset.digest !== freshCard.dataset.digest) {
      say("It was edited while you read it, ", location.href, "show");
      return;
    }
    document.title = fresh.title;
    bring(one("[data-follow]"), one("[data-follow]", fresh));
    say(words, "#timeline", "see the timeline");
  };

  // Between two looks at a busy tenant, in milliseconds. The first news is looked at without delay.
  const PAUSE = 3000;

  const follow = (address) => {
    let stream = null;
    let count = 0;
    let waits = false;
    let last = -PAUSE;
    const look = async () => {
      waits = false;
      last = performance.now();
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      // Somebody who was signed out meanwhile reads on; the next click leads to the door.
      if (!answer.ok || answer.redirected) return;
      show(new DOMParser().parseFromString(await answer.text(), "text/html"), count);
    };
    const arrived = () => {
      count += 1;
      if (waits) return;
      waits = true;
      setTimeout(look, Math.max(50, last + PAUSE - performance.now()));
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

  const offerSwitch = (button) => {
    const name = () => { button.textContent = areKeysOff() ? "Turn the keys on" : "Turn the keys off"; };
    button.hidden = false;
    button.addEventListener("click", () => { setKeysOff(!areKeysOff()); name(); });
    name();
  };

  addEventListener("keydown", press);
  addEventListener("submit", guard);
  addEventListener("pageshow", unguard);
  one("[data-answer]")?.focus();
  const toggle = one("[data-keys-switch]");
  if (toggle) offerSwitch(toggle);
  const address = one("[data-stream]")?.dataset.stream;
  if (address) follow(address);
})();
