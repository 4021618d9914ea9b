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
    const act = card && one(`[data-key="${key}"]`, card);
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
    else if (!"ACRX".includes(key) || key.length !== 1 || !useKey(key)) return;
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

  // New facts are announced in a line; nothing moves under a finger.
  const listen = (address) => {
    let count = 0;
    let line = null;
    const arrived = () => {
      count += 1;
      if (!line) {
        line = document.createElement("p");
        line.className = "toast";
        line.setAttribute("role", "status");
        one("main").prepend(line);
      }
      const link = document.createElement("a");
      link.href = location.href;
      link.textContent = "show";
      line.replaceChildren(count === 1 ? "1 new entry, " : `${count} new entries, `, link);
    };
    const stream = new EventSource(address);
    stream.addEventListener("message", arrived);
    stream.addEventListener("changed", arrived);
    addEventListener("pagehide", () => stream.close());
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
  if (address) listen(address);
})();
