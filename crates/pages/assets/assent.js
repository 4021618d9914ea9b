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
  const hourCycle = document.body?.classList.contains("twelve") ? "h12" : "h23";

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

  // The tabs of a record are links to the same page with another part open. Here they change it in place as tabs do, by
  // arrows too, and the address follows, so that each can be sent to somebody.
  const tabs = (() => {
    const strip = () => one(".tab-panel") && one("[data-tabs]");
    const links = () => all("a[data-tab]", strip());
    const panel = (link) => document.getElementById(`panel-${link.dataset.tab}`);
    const dress = () => {
      if (!strip()) return;
      document.documentElement.dataset.tabbed = "on";
      strip().setAttribute("role", "tablist");
      for (const link of links()) {
        const isOpen = !panel(link).hidden;
        link.removeAttribute("aria-current");
        const told = { role: "tab", "aria-controls": panel(link).id, "aria-selected": isOpen, tabindex: isOpen ? 0 : -1 };
        for (const [attribute, value] of Object.entries(told)) link.setAttribute(attribute, String(value));
        panel(link).setAttribute("role", "tabpanel");
        panel(link).setAttribute("aria-labelledby", link.id);
      }
    };
    const open = (link) => {
      for (const other of links()) panel(other).hidden = other !== link;
      dress();
      link.scrollIntoView({ block: "nearest", inline: "nearest" });
    };
    const go = (link) => {
      open(link);
      history.pushState(null, "", link.href);
    };
    // Opens the tab that holds an element, if it is closed, and answers whether it did.
    const reveal = (element) => {
      const held = element?.closest(".tab-panel[hidden]");
      const link = held && links().find((it) => panel(it) === held);
      if (!link) return false;
      open(link);
      history.replaceState(null, "", link.href + location.hash);
      return true;
    };
    const aimed = () => {
      try { return document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return null; }
    };
    // What the address says: something on the page by its name, else a tab.
    const settle = () => {
      if (!strip()) return;
      const target = aimed();
      if (target) {
        if (reveal(target)) target.scrollIntoView();
        return;
      }
      const name = new URLSearchParams(location.search).get("tab");
      open(links().find((link) => link.dataset.tab === name) || links()[0]);
    };
    const click = (event) => {
      const link = event.target.closest?.("[data-tabs] a[data-tab]");
      if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      go(link);
    };
    const press = (event) => {
      const link = event.target.closest?.("[data-tabs] a[data-tab]");
      if (!link || event.ctrlKey || event.metaKey || event.altKey) return;
      const row = links();
      const at = row.indexOf(link);
      const isRight = getComputedStyle(link).direction === "rtl";
      const places = { ArrowRight: at + (isRight ? -1 : 1), ArrowLeft: at + (isRight ? 1 : -1), Home: 0, End: row.length - 1 };
      if (event.key === " ") go(link);
      else if (event.key in places) {
        const next = row[(places[event.key] + row.length) % row.length];
        go(next);
        next.focus();
      } else return;
      event.preventDefault();
    };
    const begin = () => {
      if (!strip()) return;
      dress();
      const target = aimed();
      if (target && reveal(target)) target.scrollIntoView();
      addEventListener("click", click);
      addEventListener("keydown", press);
      addEventListener("popstate", settle);
    };
    return { begin, dress, reveal };
  })();

  // J and K walk the cards of a queue, else the rows of the first list that has links.
  const stops = () => {
    const cards = all("[data-card]");
    return cards.length > 0 ? cards : all("main tbody tr, main .entries > li").filter((row) => one("a[href]", row));
  };

  const moveCard = (step) => {
    const cards = stops();
    if (cards.length === 0) return;
    const focused = cards.findIndex((card) => card.contains(document.activeElement));
    const place = focused < 0 ? 0 : focused + step;
    const next = cards[Math.min(Math.max(place, 0), cards.length - 1)];
    one("a[href]", next)?.focus();
    next.scrollIntoView({ block: "nearest" });
  };

  // Where an opened act is answered: its first field, or its button where what it asks is folded away or chosen already, so
  // that Enter does it.
  const asking = (act) => {
    const fields = all("textarea, input:not([type=hidden]), select", act).filter((field) => field.checkVisibility());
    return fields.find((field) => field.tagName !== "SELECT" || !field.value) || one("button:not([type=button])", act);
  };

  // A key opens an act that asks; a button that decides at once is only
  // focused, so that no slip of a finger decides: Enter does.
  const useKey = (key) => {
    const card = currentCard();
    const act = key === "U" ? one('[data-key="U"]') : card && one(`[data-key="${key}"]`, card);
    if (!act) return false;
    tabs.reveal(act);
    if (act.tagName === "SUMMARY") {
      act.parentElement.open = true;
      (asking(act.parentElement) || act).focus();
    } else {
      act.focus();
    }
    return true;
  };

  const press = (event) => {
    if (event.defaultPrevented || event.altKey || areKeysOff()) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() === "k" && !event.shiftKey && palette.open()) event.preventDefault();
      return;
    }
    if (isTyping(event.target) || one("dialog[open]")) return;
    const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
    if (key === "/") one(".find input")?.focus();
    else if (key === "?") showKeys();
    else if (key === "J") moveCard(1);
    else if (key === "K") moveCard(-1);
    else if (!"ACRXUNT".includes(key) || key.length !== 1 || !useKey(key)) return;
    event.preventDefault();
  };

  // The address names an act of the page: its form is opened and takes the focus; Enter then does it, and nothing before.
  const openAct = () => {
    const name = new URLSearchParams(location.hash.slice(1)).get("act");
    const act = name && one(`[data-act="${CSS.escape(name)}"]`);
    if (!act) return;
    tabs.reveal(act);
    if (act.tagName === "DETAILS") act.open = true;
    const field = act.tagName === "DETAILS" && asking(act);
    const target = field || (act.tagName === "A" ? act : one("summary, button", act));
    target?.focus();
    target?.scrollIntoView({ block: "center" });
  };

  // Pages of records that were looked at last are kept on this device, until its person signs out.
  const RECENT = "assent.recent:";
  const MOST_RECENT = 8;
  const RECORD = /^(\/t\/[^/]+)\/(changes|incidents|services|freezes|templates|problems)\/([^/]+)$/;
  const base = () => new URL(one("form.find[action$='/search']")?.action || location.href).pathname.replace(/\/search$/, "");
  const recent = () => {
    try { return JSON.parse(localStorage.getItem(RECENT + base())) || []; } catch { return []; }
  };
  const keepRecent = () => {
    const record = RECORD.exec(location.pathname);
    const title = one("main h1")?.textContent.trim();
    if (!record || !title || ["new", "bulk"].includes(record[3]) || record[1] !== base()) return;
    const others = recent().filter((item) => item.path !== location.pathname);
    const items = [{ path: location.pathname, title, key: decodeURIComponent(record[3]) }, ...others].slice(0, MOST_RECENT);
    try { localStorage.setItem(RECENT + base(), JSON.stringify(items)); } catch { /* Without room nothing is recent. */ }
  };
  const forgetRecent = () => {
    try {
      Object.keys(localStorage).filter((name) => name.startsWith(RECENT)).forEach((name) => localStorage.removeItem(name));
    } catch { /* Nothing was kept. */ }
  };

  const make = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  // The search as a dialog: it shows what the page of the search shows, so each answer is in the language of the page and
  // holds what its reader may see. Arrows choose, Tab completes, Enter opens.
  const palette = (() => {
    let dialog = null;
    let input = null;
    let list = null;
    let options = [];
    let chosen = -1;
    let asked = 0;
    let drawn = 0;
    let timer = 0;
    // What a key asked for before the list was drawn.
    let pending = null;

    const choose = (place) => {
      chosen = options.length === 0 ? -1 : (place + options.length) % options.length;
      options.forEach(({ element }, at) => element.setAttribute("aria-selected", String(at === chosen)));
      if (chosen < 0) return input.removeAttribute("aria-activedescendant");
      input.setAttribute("aria-activedescendant", options[chosen].element.id);
      options[chosen].element.scrollIntoView({ block: "nearest" });
    };
    const follow = ({ href }) => {
      const url = new URL(href, location.href);
      if (url.pathname === `${base()}/search` && url.searchParams.has("q")) {
        input.value = url.searchParams.get("q");
        return ask();
      }
      dialog.close();
      location.assign(url);
    };
    const enter = () => {
      if (drawn !== asked) { pending = enter; return; }
      if (chosen >= 0) follow(options[chosen]);
    };
    // The first option that is a search of its own: what is typed so far, completed.
    const whole = () => options.find(({ href }) => new URL(href, location.href).pathname === `${base()}/search`);
    const complete = () => {
      if (drawn !== asked) { pending = complete; return; }
      if (whole()) follow(whole());
    };
    const draw = (groups) => {
      options = [];
      const made = groups.filter(({ items }) => items.length > 0).map(({ name, items }, number) => {
        const group = make("div", { role: "group", "aria-labelledby": `palette-g${number}` });
        group.append(make("div", { class: "group-name", id: `palette-g${number}` }, name));
        for (const item of items) {
          const element = make("div", { role: "option", id: `palette-o${options.length}`, "aria-selected": "false" });
          element.append(make("span", {}, item.text), make("span", { class: "aside" }, item.aside));
          element.addEventListener("click", () => follow(item));
          options.push({ ...item, element });
          group.append(element);
        }
        return group;
      });
      list.replaceChildren(...made);
      if (made.length === 0) list.append(make("div", { role: "option", "aria-disabled": "true", "aria-selected": "false" }, told("Nothing fits.")));
      choose(0);
    };
    const read = (page) => all("section[id^='hits-'], #completions, #operators", page).map((section) => ({
      name: one("h2", section).textContent.trim(),
      items: all(".entries > li", section).map((row) => ({
        href: one("a[href]", row).getAttribute("href"),
        text: one("a[href]", row).textContent.trim(),
        aside: [one(".sub", row), one(".aside", row)].filter(Boolean).map((part) => part.textContent.trim()).join(", "),
      })),
    }));
    const ask = async () => {
      clearTimeout(timer);
      const turn = (asked += 1);
      const text = input.value.trim();
      let groups = [];
      try {
        const answer = await fetch(`${base()}/search?look=1&q=${encodeURIComponent(text)}`, { headers: { Accept: "text/html" } });
        if (answer.redirected) return location.assign(`${base()}/search`);
        if (answer.ok) groups = read(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } catch { /* Without a connection there is nothing to choose. */ }
      if (turn !== asked) return;
      if (text === "") {
        const items = recent().map(({ path, title, key }) => ({ href: path, text: title, aside: key }));
        groups.unshift({ name: told("Recent"), items });
      }
      drawn = turn;
      draw(groups);
      const act = pending;
      pending = null;
      act?.();
    };
    const press = (event) => {
      const steps = { ArrowDown: 1, ArrowUp: -1 };
      if (steps[event.key]) choose(chosen + steps[event.key]);
      else if (event.key === "Enter") enter();
      else if (event.key === "Tab" && !event.shiftKey) {
        if (input.value.trim() === "" || (drawn === asked && !whole())) return;
        complete();
      } else return;
      event.preventDefault();
    };
    const build = () => {
      input = make("input", {
        type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-options",
        "aria-autocomplete": "list", autocomplete: "off", maxlength: "200", "aria-label": told("Search or type a command"),
        placeholder: told("Search or type a command"),
      });
      list = make("div", { class: "options", role: "listbox", id: "palette-options", "aria-label": told("Results") });
      const keys = make("div", { class: "effect" }, told("Arrows choose, Tab completes, Enter opens, Esc closes."));
      const form = make("form", { class: "find" }, input);
      form.addEventListener("submit", (event) => event.preventDefault());
      input.addEventListener("keydown", press);
      input.addEventListener("input", () => {
        asked += 1;
        pending = null;
        clearTimeout(timer);
        timer = setTimeout(ask, 120);
      });
      dialog = make("dialog", { class: "palette", "aria-label": told("Search and commands") }, form, list, keys);
      document.body.append(dialog);
    };
    // Answers whether there is a search on this page.
    const open = () => {
      if (!one("form.find[action$='/search']")) return false;
      if (!dialog) build();
      if (dialog.open) return true;
      input.value = "";
      dialog.showModal();
      input.focus();
      ask();
      return true;
    };
    return { open };
  })();

  // The keys, over the page: as the help tells them.
  const showKeys = async () => {
    const help = one("nav a[href$='/help']");
    if (!help) return;
    const answer = await fetch(help.href, { headers: { Accept: "text/html" } });
    const keys = answer.ok && one("#keys dl", new DOMParser().parseFromString(await answer.text(), "text/html"));
    if (!keys) return help.click();
    const close = make("button", { class: "btn", type: "button" }, told("Close this"));
    const heading = make("h2", { id: "keys-title" }, told("Keys of the keyboard"));
    const dialog = make("dialog", { class: "palette keys", "aria-labelledby": "keys-title" }, heading, document.importNode(keys, true), close);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    close.focus();
  };

  // Whether the server answers: a page learns it by its stream of news and by whatever it asks; where it heard nothing for a
  // while, it asks before a form is sent. Until the server answers again no form and no link leaves the page, so what was typed
  // stays, and the page goes on by itself. A tap of the runbook is kept by the runbook.
  const BACK = "assent:back";
  const contact = (() => {
    const SOONEST = 1000;
    const LATEST = 15000;
    const SURE = 10000;
    // A network that swallows what is sent answers nothing, not even that it is cut.
    const PATIENCE = 5000;
    // What a gateway says in place of a server that is not there.
    const ABSENT = [502, 503, 504];
    let line = null;
    let timer = 0;
    let wait = SOONEST;
    let heard = performance.now();
    let asking = null;
    let isCut = false;
    const tell = (words) => {
      if (!line?.isConnected) {
        line = make("p", { class: "toast cut-line", role: "alert" });
        one("main")?.prepend(line);
      }
      line.classList.toggle("back", !isCut);
      line.replaceChildren(words);
    };
    const tellCut = () => tell(told("The server cannot be reached. What you type stays on this page, which goes on when the server is back."));
    const mend = () => {
      isCut = false;
      wait = SOONEST;
      tell(told("The server is back. What you typed is still here."));
      dispatchEvent(new Event(BACK));
    };
    const ask = async () => {
      clearTimeout(timer);
      let answers = false;
      try { answers = !ABSENT.includes((await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) })).status); } catch { /* It does not. */ }
      if (answers) {
        heard = performance.now();
        if (isCut) mend();
        return;
      }
      if (!isCut) {
        isCut = true;
        tellCut();
      }
      timer = setTimeout(probe, wait);
      wait = Math.min(wait * 2, LATEST);
    };
    const probe = () => (asking ??= ask().finally(() => { asking = null; }));
    const tellHeld = () => tell(told("Not sent: the server cannot be reached. What you typed is still here; send it again when the server is back."));
    const isSure = () => performance.now() - heard < SURE || (one("[data-stream]") && !document.hidden);
    const holdForm = (event) => {
      const { target: form, submitter } = event;
      if (form.dataset.tap || form.dataset.passkey || (!isCut && (form.method !== "post" || isSure()))) return;
      event.preventDefault();
      event.stopPropagation();
      if (isCut) {
        tellHeld();
        probe();
        return;
      }
      probe().then(() => {
        if (isCut) tellHeld();
        else form.requestSubmit(submitter);
      });
    };
    const holdLink = (event) => {
      const link = event.target.closest?.("a[href]");
      if (!isCut || !link || event.defaultPrevented || event.button !== 0 || link.target || link.origin !== location.origin) return;
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      if (link.hash && link.pathname === location.pathname && link.search === location.search) return;
      event.preventDefault();
      tellCut();
      probe();
    };
    const begin = () => {
      addEventListener("submit", holdForm, true);
      addEventListener("click", holdLink);
      addEventListener("offline", probe);
      addEventListener("online", probe);
    };
    return { begin, probe };
  })();

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
    relearn();
    tabs.dress();
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
      setTimeout(() => look().catch(contact.probe), Math.max(50, last + pause() - performance.now()));
    };
    const open = () => {
      stream = new EventSource(address);
      stream.addEventListener("message", arrived);
      stream.addEventListener("error", contact.probe);
    };
    const close = () => { stream?.close(); stream = null; };
    // A browser keeps few connections to one host: a page that nobody looks at gives its own back.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) close();
      else if (!stream) open();
    });
    addEventListener("pagehide", close);
    // A stream that was refused in the meantime does not open itself again.
    addEventListener(BACK, () => {
      if (stream?.readyState !== EventSource.CLOSED) return;
      close();
      open();
    });
    if (!document.hidden) open();
  };

  // The runbook: a tap is kept on this device until the server has it, with the time it was made and under a key that
  // makes a repeated one the same. Only the person who made it sends it.
  const TAPS = "assent.taps";
  const newKey = () =>
    [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  // Draws what is kept on this device over what the server says, which was just brought into the page.
  let relearn = () => {};

  const runbook = (root) => {
    const person = root.dataset.person;
    const address = root.dataset.runbook;
    let kept = [];
    let wait = 1000;
    let isBusy = false;
    let trouble = "";
    // As the server told them last: the clock of its step, and until when that step watches.
    let clock = null;
    let server = { number: 0, until: NaN };
    let until = NaN;
    // Storage can be forbidden; then taps live as long as the page. Another tab may have changed what is kept.
    const load = () => {
      try { kept = JSON.parse(localStorage.getItem(TAPS)) || []; } catch { /* the page holds them */ }
    };
    const keep = () => { try { localStorage.setItem(TAPS, JSON.stringify(kept)); } catch { /* the page holds them */ } };
    const own = () => kept.filter((tap) => tap.person === person);
    const here = () => own().filter((tap) => tap.to === address);
    const isEnd = (tap) => Boolean(tap.body.step) && ["step", "rollback"].includes(tap.body.kind);

    const tell = () => {
      const line = one("[data-taps]", root);
      const count = own().length;
      const waiting = count === 1
        ? told("No connection. 1 tap is kept on this device and will go out, with the time of each.")
        : told("No connection. {#n} taps are kept on this device and will go out, with the time of each.", { n: count });
      line.hidden = count === 0 && trouble === "";
      one("span", line).textContent = trouble || (count > 0 ? waiting : "");
    };

    const learn = () => {
      clock = one(".clocks > div", root)?.cloneNode(true);
      const form = one("form[data-done-step]", root);
      server = { number: Number(form && one("[data-run-step]", form)?.value), until: Date.parse(form?.dataset.watchUntil) };
      until = server.until;
    };

    const hour = (at) => new Date(at).toLocaleTimeString(tongue, { hour: "2-digit", minute: "2-digit", hourCycle });

    // The clock of a step begins when the one before it ended; how long it may take is told once the server answers again.
    const setClock = (number, since, minutes) => {
      const row = one(".clocks > div", root);
      if (number === server.number && !since) {
        if (row && clock) row.replaceWith(clock.cloneNode(true));
        until = server.until;
        return;
      }
      until = minutes && since ? since + minutes * 60000 : NaN;
      if (!row || all(".clocks > div", root).length < 2) return;
      const at = Number.isNaN(until) ? since : until;
      one("dt", row).textContent = Number.isNaN(until) ? told("On this step since") : told("Watch until");
      one(".clock", row).textContent = at ? hour(at) : "";
      one(".clock", row).classList.remove("late");
      one("[data-count]", row).dataset.count = at ? new Date(at).toISOString() : "";
      one("[data-count]", row).textContent = "";
      one("[data-count]", row).nextElementSibling.textContent = Number.isNaN(until) ? "" : told("then it can be ended");
    };

    // What may be taken back last: the latest step that was tapped here and not taken back since.
    const offerUndo = (taps) => {
      const form = one("form[data-undo]", root);
      if (!form) return;
      const withdrawn = new Set(taps.map((tap) => tap.body.withdraws));
      const last = taps.findLast(isEnd);
      if (!last && !taps.some((tap) => tap.undoes)) return;
      const isOpen = last && !withdrawn.has(last.key) && !taps.slice(taps.indexOf(last)).some((tap) => tap.undoes);
      form.hidden = !isOpen;
      if (!isOpen) return;
      const title = all("[data-steps] li", root)[last.body.step - 1]?.textContent || "";
      const words = last.body.skipped ? told("Step {#n} is noted as skipped.", { n: last.body.step }) : told("Step {#n} is noted as done.", { n: last.body.step });
      one("[data-undo-words]", form).textContent = words;
      form.dataset.undoStep = String(last.body.step);
      one("[name=withdraws]", form).value = last.key;
      one("[name=text]", form).value = told("Taken back: {title}", { title });
    };

    // Without a connection the next step is shown from what the page knows already. Once the way back is begun, its steps
    // stand open and nothing leads forward any more.
    const redraw = () => {
      const taps = here();
      if (taps.length === 0) return;
      const steps = all("[data-steps] li", root);
      const isBack = root.dataset.back === "true";
      const kind = isBack ? "rollback" : "step";
      const ended = new Map();
      steps.forEach((step, place) => { if (step.dataset.done === "true") ended.set(place + 1, 0); });
      for (const tap of taps) {
        if (tap.undoes) ended.delete(tap.undoes);
        else if (tap.body.kind === kind && isEnd(tap)) ended.set(tap.body.step, Date.parse(tap.at));
      }
      const next = steps.findIndex((_, place) => !ended.has(place + 1));
      const put = (name, text) => all(`[data-run="${name}"]`, root).forEach((field) => { field.textContent = text; });
      const hide = (selector, isHidden) => all(selector, root).forEach((field) => { field.hidden = isHidden; });
      all(".progress li", root).forEach((mark, place) => {
        mark.className = place === next ? "now" : ended.has(place + 1) ? "past" : "";
      });
      const turns = taps.some((tap) => tap.body.kind === "rollback" && !tap.body.step);
      hide("form[data-done-step], [data-skip-step]", next < 0 || turns);
      const begun = taps.find((tap) => tap.body.kind === "begin" && tap.body.step === next + 1);
      hide("form[data-begin-step]", next < 0 || turns || Boolean(begun));
      if (turns) {
        hide("form[data-turn-back]", true);
        one("[data-way-back]", root)?.setAttribute("open", "open");
      }
      offerUndo(taps);
      if (next < 0) {
        const all = { n: steps.length, all: steps.length };
        until = NaN;
        put("title", isBack ? told("Every rollback step is done") : told("Every step is done"));
        put("progress", isBack ? told("{#n} of {#all} steps back done", all) : told("{#n} of {#all} steps done", all));
        return;
      }
      put("title", steps[next].textContent);
      for (const name of ["check", "who"]) {
        const text = steps[next].dataset[name];
        put(name, text);
        all(`[data-run-hold="${name}"]`, root).forEach((field) => { field.hidden = text === ""; });
      }
      const before = [...ended].filter(([number]) => number <= next).map(([, at]) => at);
      setClock(next + 1, Math.max(0, ...before, begun ? Date.parse(begun.at) : 0), Number(steps[next].dataset.watch));
      const place = { n: next + 1, all: steps.length };
      put("progress", isBack ? told("Rolling back, step {#n} of {#all}", place) : told("Step {#n} of {#all}", place));
      all("[data-run-step]", root).forEach((field) => { field.value = String(next + 1); });
      all("[data-run-text]", root).forEach((field) => { field.value = steps[next].textContent; });
      count();
    };

    const refresh = async () => {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = one("[data-follow]", page);
      bringIcons(page);
      if (fresh) bring(root, fresh);
      relearn();
      tell();
    };

    // Whether a tap is settled: taken, or refused for good and told. The server learns by which clock its time was taken.
    const send = async (tap) => {
      const head = { "Content-Type": "application/json" };
      const body = tap.isUntimed ? tap.body : { ...tap.body, sent_at: new Date().toISOString() };
      const answer = await fetch(tap.to, { method: "POST", headers: head, body: JSON.stringify(body) });
      if (answer.ok) return true;
      if (answer.status === 401) {
        trouble = told("You are signed out. Sign in again; what you tapped is kept.");
        return false;
      }
      if (answer.status >= 500 || answer.status === 429) return false;
      const refusal = await answer.json();
      // This device's clock cannot be relied on: then the server's time counts.
      if (!tap.isUntimed && (refusal.errors || []).some((error) => ["occurred_at", "sent_at"].includes(error.field))) {
        delete tap.body.occurred_at;
        tap.isUntimed = true;
        keep();
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
        load();
        kept = kept.filter((other) => other.key !== tap.key);
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
      if (event.submitter?.name) body[event.submitter.name] = event.submitter.value;
      delete body.next;
      delete body.once;
      if (!body.text.trim()) return;
      if (form.dataset.doneStep && until > Date.now()) return;
      if (body.step) body.step = Number(body.step);
      if (body.skipped) body.skipped = true;
      const at = new Date().toISOString();
      const key = newKey();
      load();
      kept.push({ key, person, to: address, at, body: { ...body, occurred_at: at, tap: key }, undoes: Number(form.dataset.undoStep) || 0 });
      keep();
      trouble = "";
      document.activeElement?.blur();
      form.closest("details")?.removeAttribute("open");
      form.reset();
      if (form.dataset.undo) form.hidden = true;
      redraw();
      flush();
    };

    const count = () => {
      all("form[data-done-step] button", root).forEach((button) => { button.disabled = until > Date.now(); });
      all("[data-watching]", root).forEach((line) => { line.hidden = !(until > Date.now()); });
      all("[data-count]", root).forEach((field) => {
        const at = Date.parse(field.dataset.count);
        if (Number.isNaN(at)) return;
        const seconds = Math.round(Math.abs(Date.now() - at) / 1000);
        const two = (number) => String(Math.floor(number) % 60).padStart(2, "0");
        const time = seconds < 3600 ? `${two(seconds / 60)}:${two(seconds)}` : told("{#h} h {#min} min", { h: Math.floor(seconds / 3600), min: two(seconds / 60) });
        const rest = field.nextElementSibling?.textContent ? ", " : "";
        field.textContent = at > Date.now() ? `${told("in {time}", { time })}${rest}` : `${time}${rest}`;
      });
    };

    relearn = () => {
      learn();
      redraw();
      count();
    };

    root.addEventListener("submit", tap);
    for (const kind of ["online", BACK]) addEventListener(kind, () => { wait = 1000; flush(); });
    setInterval(count, 1000);
    load();
    relearn();
    tell();
    if (own().length > 0) flush();
  };

  // A form is kept on this device while it is typed, until the server has taken it, for a week at most.
  const DRAFT = "assent.draft:";
  const WEEK = 7 * 24 * 3600 * 1000;
  const SAVES = 3000;

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
      const when = new Date(kept.at).toLocaleString(tongue, { dateStyle: "medium", timeStyle: "short", hourCycle });
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
    if (form.dataset.saves) keepAside(form);
    one("#drafts form")?.addEventListener("submit", () => localStorage.removeItem(name));
  };

  // The server keeps what is typed, too, so that another device goes on with it. One request at a time, and none once the
  // form is sent.
  const keepAside = (form) => {
    let [timer, sending, ended] = [0, null, false];
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(() => keep().catch((error) => { if (error.name !== "AbortError") contact.probe(); }), SAVES);
    };
    const keep = async () => {
      if (ended) return;
      if (sending) return later();
      sending = new AbortController();
      try {
        const body = new URLSearchParams(new FormData(form));
        const answer = await fetch(form.dataset.saves, { method: "POST", body, signal: sending.signal });
        if (answer.ok && !answer.redirected) form.elements.draft_version.value = (await answer.json()).version;
        else if (answer.status === 409) {
          ended = true;
          say(told("Another window of this form has saved different answers; what you type here is kept on this device only. "), location.href, told("Open it again"));
        }
      } finally {
        sending = null;
      }
    };
    form.addEventListener("input", later);
    form.addEventListener("submit", () => { ended = true; clearTimeout(timer); sending?.abort(); });
    // A page that comes back from the history is written on.
    addEventListener("pageshow", (event) => { if (event.persisted) ended = false; });
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
      timer = setTimeout(() => ask().catch(contact.probe), 400);
    };
    form.addEventListener("input", later);
    form.addEventListener("change", later);
  };

  // What was taken is forgotten, and everything with the one who signs out.
  const forgetSent = () => allDrafts().filter((name) => loadDraft(name)?.isSent).forEach((name) => localStorage.removeItem(name));
  const forgetAll = () => {
    allDrafts().forEach((name) => localStorage.removeItem(name));
    forgetRecent();
  };

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

  // The browser knows its zone, which no request tells: a field for a zone offers it.
  const offerZone = (field) => {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!zone || zone === field.value) return;
    const button = make("button", { class: "btn small", type: "button" }, told("Use {zone}", { zone }));
    button.addEventListener("click", () => {
      field.value = zone;
      button.remove();
      field.focus();
    });
    field.after(button);
  };

  // The first sign-in takes the zone along, by the form or by the link to a provider.
  const takeZone = () => {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
    all("form:is([action$='/welcome'], [action$='/sign-in']) input[name=zone]").forEach((field) => { field.value = zone; });
    all("a.btn[href*='/sign-in/']").forEach((link) => {
      const way = new URL(link.href);
      way.searchParams.set("zone", zone);
      link.href = way.href;
    });
  };

  // A field that searches offers what fits the letters typed so far; without an answer it is a line of text. Of several keys,
  // parted by commas, the last one is searched for, and the others stand before all that is offered.
  const pick = (field) => {
    const list = field.list;
    let timer = 0;
    let asked = 0;
    const ask = async () => {
      const turn = (asked += 1);
      const kept = field.dataset.several ? /^(?:.*,\s*)?/.exec(field.value)[0] : "";
      const url = `${field.dataset.pick}?q=${encodeURIComponent(field.value.slice(kept.length))}`;
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok || answer.redirected || turn !== asked) return;
      const { items } = await answer.json();
      list.replaceChildren(...items.map(({ value, label }) => {
        const option = document.createElement("option");
        option.value = kept + value;
        option.textContent = label ? kept + label : "";
        return option;
      }));
    };
    const look = () => ask().catch(contact.probe);
    field.addEventListener("focus", look, { once: true });
    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(look, 150);
    });
  };

  // The guide to a connection: what is copied has a button, and the page refreshes until the first delivery arrived.
  const LOOKS = 5000;
  const copyable = (code) => {
    const button = make("button", { class: "btn small", type: "button", "data-script-only": "true" }, told("Copy"));
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = told("Copied");
      } catch { getSelection().selectAllChildren(code); }
    });
    code.after(" ", button);
  };
  const awaitDelivery = (section) => {
    const look = async () => {
      if (document.hidden) return;
      const answer = await fetch(one("main a[href$='/guide']")?.href || location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      bringIcons(fresh);
      const now = one("#waiting-delivery", fresh);
      if (now) return bring(section, now);
      const arrived = one("#arrived", fresh);
      if (!arrived) return;
      clearInterval(timer);
      section.replaceWith(document.importNode(arrived, true));
      one("main h1").textContent = one("main h1", fresh).textContent;
      document.title = fresh.title;
      say(told("The first delivery arrived. "), "#arrived", told("show"));
    };
    const timer = setInterval(() => look().catch(() => {}), LOOKS);
  };

  // A change on the calendar is moved by arrows or by the pointer. What the other time would mean is shown on a page of its own
  // before anybody asks for it. Times are those of the wall clock, so no zone counts here.
  const moveBars = () => {
    const HOUR = 3_600_000;
    const DAY = 24 * HOUR;
    const LEAST = 8;
    const bar = (event) => event.target.closest?.("[data-propose]");
    const shifted = (time, by) => new Date(Date.parse(`${time}Z`) + by).toISOString().slice(0, 16);
    const address = ({ dataset }, by) => {
      const times = { planned_start: shifted(dataset.from, by), planned_end: shifted(dataset.to, by) };
      return `${dataset.propose}&${new URLSearchParams(times)}`;
    };
    const tell = (link, by) => {
      const [from, to] = [link.dataset.from, link.dataset.to].map((time) => shifted(time, by).replace("T", " "));
      say(`${from} – ${to} `, address(link, by), told("Show what this time would mean"));
    };
    // By how much the focused bar was moved by keys.
    let pushed = 0;
    const step = (link, key) => {
      const across = { ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0;
      const down = { ArrowUp: -1, ArrowDown: 1 }[key] ?? 0;
      if (link.closest(".lanes")) return across * HOUR + down * DAY;
      return link.closest(".month") ? (across + 7 * down) * DAY : across * DAY + down * HOUR;
    };
    addEventListener("keydown", (event) => {
      const link = bar(event);
      if (!link || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      const by = step(link, event.key);
      if (by) tell(link, (pushed += by));
      else if (event.key === "Enter" && pushed) location.assign(address(link, pushed));
      else if (event.key === "Escape" && pushed) {
        pushed = 0;
        one(".news-line")?.remove();
      } else return;
      event.preventDefault();
    });
    addEventListener("focusout", (event) => { if (bar(event)) pushed = 0; });

    // The day and the hour that lie under a point; nights are drawn taller, so hours are counted by their rows.
    const place = (x, y) => {
      const days = all(".week > .day, .month > .day");
      const day = days.findIndex((it) => {
        const box = it.getBoundingClientRect();
        return x >= box.left && x < box.right && y >= box.top && y < box.bottom;
      });
      const hours = day >= 0 && one(".hours", days[day]);
      if (!hours) return { day, hour: 0 };
      const rows = getComputedStyle(hours).gridTemplateRows.split(" ").map(parseFloat);
      let rest = y - hours.getBoundingClientRect().top;
      const hour = rows.findIndex((height) => (rest -= height) < 0);
      return { day, hour: rows.length !== 24 ? 0 : hour < 0 ? 23 : hour };
    };
    const distance = (held, x, y) => {
      const chart = held.bar.closest(".lanes svg");
      if (chart) {
        const hours = 24 * Math.max(all("line.grid", chart).length, 1);
        return Math.round(((x - held.x) / chart.getBoundingClientRect().width) * hours) * HOUR;
      }
      const [from, to] = [place(held.x, held.y), place(x, y)];
      return from.day < 0 || to.day < 0 ? 0 : (to.day - from.day) * DAY + (to.hour - from.hour) * HOUR;
    };
    // A finger scrolls; a mouse and a pen drag.
    let held = null;
    addEventListener("pointerdown", (event) => {
      const link = event.button === 0 && event.pointerType !== "touch" && bar(event);
      held = link ? { bar: link, x: event.clientX, y: event.clientY, by: 0, isMoved: false } : null;
    });
    addEventListener("pointermove", (event) => {
      if (!held || (!held.isMoved && Math.hypot(event.clientX - held.x, event.clientY - held.y) < LEAST)) return;
      held.isMoved = true;
      held.by = distance(held, event.clientX, event.clientY);
      tell(held.bar, held.by);
    });
    addEventListener("pointerup", () => {
      const it = held;
      held = null;
      if (!it?.isMoved) return;
      // The click that ends a drag opens nothing.
      const stop = (event) => { event.preventDefault(); event.stopPropagation(); };
      addEventListener("click", stop, { capture: true, once: true });
      setTimeout(() => removeEventListener("click", stop, true), 50);
      if (it.by) location.assign(address(it.bar, it.by));
    });
    addEventListener("pointercancel", () => { held = null; });
    for (const kind of ["dragstart", "selectstart"]) addEventListener(kind, (event) => { if (held) event.preventDefault(); });
    const words = told("Arrow keys or the pointer move a change. Enter shows what the other time would mean.");
    all("[data-propose]").forEach((it) => { it.title ||= words; });
  };

  addEventListener("keydown", press);
  addEventListener("submit", guard);
  addEventListener("click", fit);
  addEventListener("pageshow", unguard);
  tabs.begin();
  contact.begin();
  one("[data-answer]")?.focus();
  openAct();
  addEventListener("hashchange", openAct);
  keepRecent();
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
  all("form[action$='/telling'] input[name=zone]").forEach(offerZone);
  takeZone();
  if (one("#webhook, form[action$='/setup/people']")) all("#webhook code, #gate pre.code, .notice[data-answer] code").forEach(copyable);
  const awaited = one("#waiting-delivery");
  if (awaited) awaitDelivery(awaited);
  if (one("[data-propose]")) moveBars();
  const every = one("[data-pick-all]");
  if (every) pickAll(every);
  const address = one("[data-stream]")?.dataset.stream;
  if (address) follow(address);
})();
