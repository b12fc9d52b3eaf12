/* Watch the connection: say when it is lost, keep what is being typed, and put it in again.
 *
 *   typed    texts that stand in fields and were not entered yet, by field: { field, label, was, text, large, plan, path }
 *   waiting  those that were in a field when the connection was lost, until they are in it again; a copy is in this tab's
 *            session storage, so that a reload while the server is away loses nothing
 *
 * Streamlit writes its state of the connection and of the script beside the app's root; fields are known by their key.
 * Once the server is there again it is asked to draw the page anew, and until that is done nothing is put anywhere: what
 * others changed meanwhile must be in the fields by then. Other components hear `gyakusan-returned` on the window.
 */
const STORED = "gyakusan_typed";
const GRACE = 400, CALM = 300, SOON = 4_000, SETTLED = 1_000; // ms: no message for a blink; what a run has sent is drawn by then; ask again; fields come late, and empty
const FIELDS = "input[type=text], input[type=number], input[type=password], textarea";
const typed = new Map();
const line = { state: "connected", asked: null, busy: 0, reloaded: false, waiting: [], timer: 0, since: 0, page: null };

export default function ({ data, parentElement, setTriggerValue }) {
  const page = line.page?.host === parentElement ? line.page : (line.page = open(parentElement));
  Object.assign(page, { words: data.words, plan: data.plan, drawn: data.drawn, tell: setTriggerValue, turn: page.turn + 1 });
  const { turn } = page;
  begin();
  look();
  show();
  return () => { // Streamlit may clean up an older call after a newer one has run
    if (page.turn !== turn) return;
    page.box.remove();
    if (line.page === page) line.page = null;
  };
}

function open(host) {
  const box = host.appendChild(document.createElement("div"));
  box.className = "line";
  box.hidden = true;
  box.setAttribute("role", "alert");
  return { host, box, turn: 0 };
}

/** Begin to watch, once in the life of this document; what a reload has interrupted is taken up. */
function begin() {
  if (line.begun) return;
  line.begun = true;
  line.waiting = restored();
  if (line.waiting.length) Object.assign(line, { state: "returning", reloaded: true });
  document.addEventListener("beforeinput", ({ target }) => remember(target, true), true);
  document.addEventListener("input", ({ target, isTrusted }) => { if (isTrusted) remember(target, false); }, true);
  document.addEventListener("keydown", enter, true);
  document.addEventListener("blur", ({ target }) => { if (isField(target) && !target.disabled && isConnected()) entered(target); }, true);
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true,
    attributeFilter: ["data-test-connection-state", "data-test-script-state"] });
}

// ---- what is being typed -------------------------------------------------------------------------------------------

const isField = (node) => node instanceof HTMLElement && node.matches(FIELDS) && node.role !== "combobox" && keyOf(node) !== null;
const keyOf = (node) => [...(node.closest("[class*='st-key-']")?.classList ?? [])].find((name) => name.startsWith("st-key-") && !name.startsWith("st-key-hidden_")) ?? null;
const fieldOf = (key) => document.querySelector(`.${CSS.escape(key)} :is(${FIELDS})`);

function remember(node, before) {
  if (!isField(node)) return;
  const field = keyOf(node), known = typed.get(field);
  if (before && known) return;
  const entry = known ?? { field, label: node.getAttribute("aria-label") ?? "", was: node.value, large: node.tagName === "TEXTAREA", plan: line.page?.plan, path: location.pathname };
  typed.set(field, Object.assign(entry, { text: node.value }));
  if (!before && entry.text === entry.was) typed.delete(field);
}

function enter(event) {
  if (event.key !== "Enter" || event.isComposing || !isField(event.target)) return;
  if (event.target.tagName !== "TEXTAREA" || event.ctrlKey || event.metaKey) entered(event.target);
}

/** A field was entered: from here on the server has it, or says beside the field that it has not. */
function entered(node) {
  if (!isConnected()) return;
  typed.delete(keyOf(node));
  line.waiting = line.waiting.filter((entry) => entry.field !== keyOf(node));
  store();
  if (line.state === "connected") show();
}

// ---- the connection ------------------------------------------------------------------------------------------------

const app = () => document.querySelector("[data-testid=stApp]");
const isConnected = () => app()?.dataset.testConnectionState === "CONNECTED";
const isQuiet = () => app()?.dataset.testScriptState === "notRunning";

/** Follow the connection: connected -> lost -> returning (the page is being drawn anew) -> connected. */
function look() {
  const connected = isConnected();
  if (!connected) document.querySelector(".stDialog button[aria-label=Close]")?.click(); // ours says it
  if (!connected && line.state !== "lost") lose();
  if (connected && line.state === "lost") {
    Object.assign(line, { state: "returning", asked: null, reloaded: false });
    line.waiting.forEach(takeOut);
  }
  if (line.state === "returning") {
    if (!connected || !isQuiet()) line.busy = performance.now();
    const calm = performance.now() - line.busy > CALM;
    if (calm && (line.reloaded || (line.asked && line.page?.drawn === line.asked))) comeBack();
    else {
      if (calm) ask();
      again();
    }
  }
  if (line.state === "connected" && line.waiting.length && isQuiet()) putIn();
}

/** Ask for the page as it is now; what is asked comes back with it. */
function ask() {
  if (!line.page || line.reloaded || (line.asked && performance.now() - line.since < SOON)) return;
  Object.assign(line, { asked: `${Math.random()}`, since: performance.now() });
  line.page.tell("asked", line.asked);
}

function again() {
  clearTimeout(line.again);
  line.again = setTimeout(look, CALM + 50);
}

function lose() {
  line.state = "lost";
  const inFields = [...typed.values()].filter((entry) => entry.text !== entry.was);
  line.waiting = [...line.waiting.filter((old) => !typed.has(old.field)), ...inFields.map((entry) => ({ ...entry, done: false, other: null }))];
  store();
  clearTimeout(line.timer);
  line.timer = setTimeout(show, GRACE);
}

function comeBack() {
  clearTimeout(line.timer);
  Object.assign(line, { state: "connected", since: performance.now() });
  window.dispatchEvent(new CustomEvent("gyakusan-returned"));
  putIn();
  if (line.waiting.some((entry) => !entry.done)) setTimeout(look, SOON + 100);
  show();
}

/** Take a text out of its field before the page is drawn anew: Streamlit writes nothing over what was typed, so what
 *  others changed meanwhile would stay unseen beneath it. Leaving a field that says what it said before enters nothing.
 */
function takeOut({ field, was, text }) {
  const node = fieldOf(field);
  if (node?.value !== text) return;
  type(node, was);
  setTimeout(() => node.dispatchEvent(new FocusEvent("focusout", { bubbles: true })), 50);
}

/** Write into a field as a person does, so that it takes the text for typed. */
function type(node, text) {
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(node), "value").set.call(node, text);
  node.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Put every text into its field again: not over what the field did not say before, and into no other plan. */
function putIn() {
  for (const entry of line.waiting.filter((one) => !one.done)) {
    const node = entry.plan === line.page?.plan && entry.path === location.pathname ? fieldOf(entry.field) : null;
    if (!node || node.disabled) {
      entry.missing = performance.now() - line.since > SOON;
      continue;
    }
    const isOther = node.value !== entry.was && node.value !== entry.text;
    Object.assign(entry, { missing: false, now: node.value, other: isOther ? (entry.other ?? performance.now()) : null });
    entry.changed = isOther && performance.now() - entry.other > SETTLED;
    if (isOther && !entry.changed) again();
    if (!isOther) write(entry, node);
  }
  show();
}

/** Put a text into its field, with the cursor behind it; whoever presses Enter enters it. */
function write(entry, node) {
  if (node.value !== entry.text) type(node, entry.text);
  Object.assign(entry, { done: true, changed: false, missing: false });
  typed.set(entry.field, { ...entry, was: entry.now === entry.text ? entry.was : entry.now });
  node.focus({ preventScroll: false });
  if (node.type !== "number") node.setSelectionRange(entry.text.length, entry.text.length);
  store();
}

/** Keep what is not in its field yet for a reload of this tab, and nothing that is. */
function store() {
  const open = line.waiting.filter((entry) => !entry.done);
  try {
    if (open.length) sessionStorage.setItem(STORED, JSON.stringify(open));
    else sessionStorage.removeItem(STORED);
  } catch { /* no storage: this page's memory has it */ }
}

function restored() {
  try {
    const entries = JSON.parse(sessionStorage.getItem(STORED) ?? "[]");
    return Array.isArray(entries) ? entries.filter((entry) => typeof entry?.text === "string" && typeof entry.field === "string") : [];
  } catch {
    return [];
  }
}

// ---- the message ---------------------------------------------------------------------------------------------------

const fill = (sentence, facts) => sentence.replace(/\{(\w+)\}/g, (blank, name) => facts[name] ?? blank);
const keys = (entry) => (entry.large ? `${/Mac|iP/.test(navigator.platform) ? "⌘" : "Ctrl"}+Enter` : "Enter");

function show() {
  const { page, state, waiting } = line;
  if (!page || state === "returning") return;
  const { words, box } = page, parts = [];
  if (state === "lost") {
    parts.push(paragraph(words.lost, "first"), paragraph(words.not_saved));
    for (const entry of waiting) parts.push(paragraph(fill(words.kept, { field: entry.label })));
  } else {
    for (const entry of waiting) parts.push(...told(words, entry));
  }
  const said = JSON.stringify([state, parts.map((part) => part.textContent)]);
  if (said === page.said) return;
  page.said = said;
  box.classList.toggle("back", state === "connected");
  box.hidden = parts.length === 0;
  const text = element("div", "text");
  text.append(...parts);
  box.replaceChildren(text, ...(state === "connected" ? [close(words)] : []));
}

/** What became of one text; nothing while its field may still come. */
function told(words, entry) {
  const facts = { field: entry.label, text: entry.text, now: entry.now, keys: keys(entry) };
  if (entry.done) return [paragraph(fill(words.again, facts))];
  if (entry.changed) {
    const button = element("button", "", words.put_in);
    button.onclick = () => { const node = fieldOf(entry.field); if (node) write(entry, node); show(); };
    return [paragraph(fill(words.changed, facts)), button];
  }
  return entry.missing ? [paragraph(fill(words.missing, facts))] : [];
}

function close(words) {
  const button = element("button", "close", "×");
  button.setAttribute("aria-label", words.close);
  button.onclick = () => { line.waiting = []; store(); show(); };
  return button;
}

const paragraph = (text, name = "") => element("p", name, text);

function element(tag, name, text = "") {
  const node = document.createElement(tag);
  if (name) node.className = name;
  node.textContent = text;
  return node;
}
