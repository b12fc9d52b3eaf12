/* The board in the browser: what Python told, what a hand does with it, and when to paint.
 *
 *   events   click, keys, wheel, fingers    -> change the view's state or move a lever, then draw() or repaint()
 *   state    receive(): what Python said; view: what the person did here (folded, zoom, selected, focused, pinned)
 *   live.js  the numbers, evaluated here by engine.js while a lever moves      numbers.js  how they are written
 *   scene.js where everything stands      paint.js  the page made equal to it      take_away.js  the picture to keep
 *
 * A lever that moves asks nobody: everything follows in the same event. Let go, it sends one message; what was sent
 * stays on top of whatever Python tells until Python says it has dealt with it.
 */
const PHONE = 700; // px: below this the wall becomes a list
const MANY = 40; // cards: a larger tree gets a window with a map, and starts folded
const KEYS_REST = 400; // ms after the last key until a lever counts as let go
const views = new WeakMap(); // where Streamlit mounts us -> view
const memory = new Map(); // the component's key -> what outlives a change of page

export default function (component) {
  const host = component.parentElement;
  const view = views.get(host) ?? open(host);
  receive(view, component);
  draw(view);
  const turn = ++view.turn; // Streamlit may clean up an older call after a newer one has run
  return () => { if (view.turn === turn) close(host, view); };
}

// ---- state -------------------------------------------------------------------------------------------------------

function open(host) {
  const root = make("div", "board"), stage = root.appendChild(make("div", "stage"));
  const pane = stage.appendChild(make("div", "view"));
  const svg = pane.appendChild(shape("svg"));
  const layers = Object.fromEntries(["wires", "headings", "signs", "cards", "bars", "rows"].map((name) => [name, svg.appendChild(shape("g", { class: name }))]));
  const map = stage.appendChild(shape("svg", { class: "map", "aria-hidden": true }));
  const foot = root.appendChild(make("div", "foot"));
  const view = { root, stage, window: pane, svg, layers, map, foot, turn: 0, nodes: new Map(), sent: [], lit: new Set(), width: 0, first: true };
  view.observer = new ResizeObserver(() => { if (root.clientWidth !== view.width) draw(view); });
  host.appendChild(root);
  listen(view);
  view.sendAgain = () => { if (view.kept?.pending.length) send(view, view.kept.pending[0].revision); };
  window.addEventListener("gyakusan-returned", view.sendAgain); // the connection was lost: a move may have been too
  view.observer.observe(root);
  views.set(host, view);
  return view;
}

function close(host, view) {
  letGo(view);
  view.observer.disconnect();
  window.removeEventListener("gyakusan-returned", view.sendAgain);
  view.root.remove();
  views.delete(host);
}

function receive(view, { data, setTriggerValue }) {
  view.cards = new Map(data.cards.map((card) => [card.id, card]));
  view.parent = new Map(data.edges.filter((edge) => edge.main).map((edge) => [edge.target, edge.source]));
  view.wires = new Map();
  for (const edge of data.edges) view.wires.set(edge.source, [...(view.wires.get(edge.source) ?? []), edge]);
  view.data = data;
  if (!memory.has(data.key)) memory.set(data.key, { folded: foldedAtFirst(view), zoom: 1, pinned: null, number: data.dealt_with, pending: [] });
  view.kept = memory.get(data.key);
  view.kept.pending = view.kept.pending.filter((move) => move.number > data.dealt_with);
  Object.assign(view, { folded: view.kept.folded, zoom: view.kept.zoom, tell: setTriggerValue });
  if (view.turn === 0 && view.kept.pending.length) send(view, data.model.revision); // the page was left before Python knew
  const held = view.held ? { [view.held.id]: valueOf(view.live, view.held.id) } : {};
  view.live = newLive(data);
  for (const changes of [...view.kept.pending.map((move) => move.changes), held]) move(view.live, onlyLevers(view, changes));
  if (view.held && !view.cards.get(view.held.id)?.span) view.held = null;
  if (!view.held && !view.kept.pending.length) dim(view);
  set(view.svg, { role: data.stages.length ? "group" : "tree" });
  followSelection(view, data.selected);
  if ((view.kept.visit ??= data.visit) !== data.visit) tellAgain(view, view.kept.selected);
  Object.assign(view.kept, { visit: data.visit, selected: view.selected });
  if (!view.cards.has(view.selected)) view.selected = null;
  if (!view.cards.has(view.focused)) view.focused = view.selected ?? data.root;
}

const onlyLevers = (view, changes) => Object.fromEntries(Object.entries(changes).filter(([id]) => view.cards.get(id)?.span));

/** A large tree starts with as many whole columns as stay legible. */
function foldedAtFirst(view) {
  const cards = inside(view), column = (n) => cards.filter((card) => card.column <= n).length;
  if (cards.length <= MANY || view.data.stages.length) return new Set();
  let last = 1;
  while (column(last + 1) <= MANY) last += 1;
  return new Set(cards.filter((card) => card.column === last && kids(view, card.id).length).map((card) => card.id));
}

/** Python echoes our own clicks late: an echo of an older click must not undo a newer one. */
function followSelection(view, selected) {
  const echo = view.sent.indexOf(selected);
  if (echo >= 0) view.sent.splice(0, echo + 1);
  const changed = selected !== view.told;
  view.told = selected;
  if (changed && (echo < 0 || view.sent.length === 0)) view.selected = selected;
}

// ---- a lever in the hand -----------------------------------------------------------------------------------------

/** Move a lever: every number that depends on it follows at once. */
function shift(view, id, x) {
  if (valueOf(view.live, id) === x) return;
  move(view.live, { [id]: x });
  view.lit = touched([id], view.data.children);
  repaint(view);
}

function take(view, id, more = {}) {
  if (view.held && view.held.id !== id) letGo(view);
  const { inputs, revision } = view.data.model; // what the person sees on taking it, whatever Python tells meanwhile
  view.held ??= { id, from: valueOf(view.live, id), was: inputs[id], revision, ...more };
  view.root.classList.add("moving");
  return view.held;
}

/** Let a lever go: one message with what it was moved to. */
function letGo(view) {
  const { held, kept } = view;
  if (!held) return;
  clearTimeout(held.rest);
  view.held = null;
  view.root.classList.remove("moving");
  const x = valueOf(view.live, held.id);
  if (x === held.from) dim(view);
  repaint(view);
  settle(view);
  if (x === held.from) return;
  kept.pending.push({ number: (kept.number += 1), changes: { [held.id]: x }, was: { [held.id]: held.was }, revision: held.revision });
  send(view, held.revision);
}

/** Tell Python what it has not dealt with yet: a message may swallow the one before it, so each repeats that. */
function send({ kept: { number, pending }, tell }, revision) {
  const changes = Object.assign({}, ...pending.map((one) => one.changes));
  const was = Object.assign({}, ...pending.map((one) => one.was).reverse()); // what it was before the first of them
  tell("moved", { number, changes, was, revision });
}

/** The server has been restarted: it knows neither which card is chosen here nor what it was not there to hear. */
function tellAgain(view, chosen) {
  if (view.cards.has(chosen) && view.data.selected === null) {
    view.selected = chosen;
    view.sent.push(chosen);
    view.tell("selected", chosen);
  }
  view.sendAgain();
}

/** Put a lever back to where it was taken. */
function putBack(view) {
  const { held } = view;
  if (!held) return;
  shift(view, held.id, held.from);
  letGo(view);
}

function dim(view) {
  view.lit = new Set();
}

// ---- painting ----------------------------------------------------------------------------------------------------

function draw(view) {
  const width = (view.width = view.root.clientWidth);
  if (!width) return;
  view.font = getComputedStyle(view.root).fontFamily;
  view.phone = width < PHONE;
  view.touch = matchMedia("(pointer: coarse)").matches;
  const chain = view.data.stages.length > 0;
  const scene = (view.scene = { places: [], wires: [], signs: [], headings: [], bars: [], rows: [], feeds: new Set(), ...(chain ? funnel(view, width) : view.phone ? list(view, width) : wall(view, width)) });
  const scale = (view.scale = chain || view.phone ? 1 : Math.min(scene.grow, width / scene.width) * view.zoom);
  if (!chain && !scene.places.some((place) => place.card.id === view.focused)) view.focused = scene.places.at(view.phone ? -1 : 0).card.id;
  set(view.svg, { width: scene.width * scale, height: scene.height * scale, viewBox: `0 ${scene.top ?? 0} ${scene.width} ${scene.height}`, "aria-label": view.data.words[chain ? "funnel" : "tree"] });
  const tall = view.data.height ?? (inside(view).length > MANY ? Math.max(420, 0.62 * window.innerHeight) : 0);
  view.window.classList.toggle("fits", chain || view.phone); // a finger across it moves levers, nothing else
  view.window.style.maxHeight = tall && !view.phone && !chain ? `${tall}px` : "";
  sync(view, "wires", [...scene.wires].sort((a, b) => !!a.hot - !!b.hot), () => shape("path"), (node, wire) => set(node, { d: wire.d }));
  sync(view, "headings", scene.headings, () => shape("text", { class: "heading" }), (node, heading) => write(set(node, { x: heading.x, y: heading.y }), heading.text));
  sync(view, "signs", scene.signs, newSign, paintSign);
  sync(view, "cards", scene.places.map((place) => ({ ...place, id: place.card.id })), newCard, (node, place) => paintCard(view, node, place));
  sync(view, "bars", scene.bars, newBar, () => {});
  sync(view, "rows", scene.rows, newRow, () => {});
  repaint(view);
  settle(view);
  paintFoot(view);
  const { scrollHeight, scrollWidth, clientWidth, clientHeight } = view.window;
  if (view.first && scrollHeight > clientHeight + 1 && scene.places.length) {
    const goal = scene.places[0];
    view.window.scrollTop = (goal.y + goal.h / 2 - (scene.top ?? 0)) * scale - clientHeight / 2;
  }
  view.first = false;
  view.window.classList.toggle("roams", scrollWidth > clientWidth + 1 || scrollHeight > clientHeight + 1);
  paintMap(view);
}

/** Everything that moves with the numbers, and nothing else. */
function repaint(view) {
  const { scene, nodes } = view;
  view.widest = widest(view);
  for (const place of view.held ? scene.places.filter((one) => isSeen(view, one)) : scene.places) paintCardNumbers(view, nodes.get(`cards/${place.card.id}`), place);
  for (const bar of scene.bars) paintBar(view, nodes.get(`bars/${bar.id}`), bar);
  for (const row of scene.rows) paintRow(view, nodes.get(`rows/${row.id}`), row);
  for (const wire of scene.wires) set(nodes.get(`wires/${wire.id}`), { class: `wire${wire.side ? " side" : ""}${wire.hot ? " hot" : ""}${view.lit.has(wire.source) && view.lit.has(wire.target) ? " lit" : ""}` });
  clearTimeout(view.settling);
  if (view.held) view.settling = setTimeout(() => settle(view), 200);
}

/** Whether a card is within the window, or is the goal: while a lever moves, nothing else has to follow. */
function isSeen({ window: pane, scale, scene }, { card, y, h }) {
  const top = (y - (scene.top ?? 0)) * scale - pane.scrollTop;
  return card.role === "kgi" || (top < pane.clientHeight && top + h * scale > 0);
}

/** What only readers of screens and resting pointers need: said once the numbers rest. */
function settle(view) {
  clearTimeout(view.settling);
  for (const { card } of view.scene.places) {
    const node = view.nodes.get(`cards/${card.id}`);
    set(node, { "aria-label": spoken(view.live, card, says(view.live, card, view.kept.pinned)) });
    write(node.parts.title, details(view.live, card));
  }
  for (const layer of ["bars", "rows"]) for (const { card } of view.scene[layer]) write(view.nodes.get(`${layer}/${card.id}`).parts.title, details(view.live, card));
}

/** A small picture of the whole, and where in it one is; drag in it to go there. */
function paintMap(view) {
  const { scene, map, window: pane } = view, large = pane.classList.contains("roams") && inside(view).length > MANY && scene.places.length > 0;
  map.style.display = large ? "" : "none";
  if (!large) return;
  const ratio = Math.min(150 / scene.width, 110 / scene.height), top = scene.top ?? 0;
  set(map, { width: scene.width * ratio, height: scene.height * ratio, viewBox: `0 ${top} ${scene.width} ${scene.height}` });
  const dots = scene.places.map(({ card, x, y, w, h }) => { const dot = shape("rect", { x, y, width: w, height: h }); dot.style.color = card.colour; return dot; });
  view.frame = shape("rect", { class: "frame" });
  map.replaceChildren(...dots, view.frame);
  frameMap(view);
}

function frameMap(view) {
  const { window: pane, scale, scene } = view;
  if (view.frame) set(view.frame, { x: pane.scrollLeft / scale, y: pane.scrollTop / scale + (scene.top ?? 0), width: pane.clientWidth / scale, height: pane.clientHeight / scale });
}

/** What the signs mean, the teams' colours, and the tools. */
function paintFoot(view) {
  const { words, cards, stages } = view.data, teams = new Map(cards.filter((card) => card.team_name).map((card) => [card.team, card]));
  const chain = stages.length > 0, statuses = [...new Set(view.scene.places.map((place) => place.card.role))];
  const said = JSON.stringify([words, view.phone, chain, [...teams.values()].map((card) => [card.team_name, card.colour]), statuses, view.kept.pinned != null, cards.length > MANY, cards.some((card) => card.chance)]);
  if (said === view.footSaid) return;
  view.footSaid = said;
  const key = (text, shapes, wide) => {
    const item = make("span", "key"), icon = item.appendChild(shape("svg", { viewBox: wide ? "0 0 30 14" : "0 0 14 14", class: wide ? "wide" : "", "aria-hidden": true }));
    for (const [tag, attributes] of shapes) icon.appendChild(shape(tag, attributes));
    item.append(text);
    return item;
  };
  const items = [...teams.values()].map((card) => {
    const item = key(card.team_name, [["rect", { x: 5, y: 0, width: 4, height: 14, rx: 2, fill: "currentColor" }]]);
    item.firstChild.style.color = card.colour;
    return item;
  });
  items.push(key(words.lever, [["rect", { y: 5, width: 30, height: 4, rx: 2, class: "groove" }], ["circle", { cx: 15, cy: 7, r: 5.5, class: "thumb" }]], true));
  items.push(key(words.now_required, [["rect", { y: 5, width: 30, height: 4, rx: 2, class: "lack" }], ["rect", { y: 5, width: 20, height: 4, rx: 2, fill: "currentColor" }]], true));
  items.push(key(words.gap, [["path", { d: SHAPES.down, transform: "translate(2 2)", style: "fill:var(--gap)" }]]));
  if (cards.some((card) => card.chance)) items.push(key(words.chance, [["path", { d: signal(4), class: "rest" }], ["path", { d: signal(2), class: "likely" }]]));
  items.push(key(words.baseline, [["path", { d: "M7 1 V13", class: "was" }]]));
  if (view.kept.pinned) items.push(key(words.pinned, [["path", { d: SHAPES.pin, transform: "translate(2 2)", class: "mark pinned" }]]));
  view.foot.replaceChildren(...items, tools(view));
}

function tools(view) {
  const { words } = view.data, box = make("span", "tools"), chain = view.data.stages.length > 0;
  const button = (label, act, text = label) => {
    const node = box.appendChild(make("button"));
    set(write(node, text), { type: "button", "aria-label": label, title: label });
    node.onclick = act;
    return node;
  };
  const many = inside(view).length > MANY && !chain;
  if (many) box.append(...finder(view));
  button(words[view.kept.pinned ? "unpin" : "pin"], () => pin(view)).classList.add("pin");
  if (many && !view.phone) {
    button(words.fold_all, () => { view.folded.clear(); for (const card of inside(view)) if (card.column === 1 && kids(view, card.id).length) view.folded.add(card.id); draw(view); });
    button(words.unfold_all, () => { view.folded.clear(); draw(view); });
  }
  button(words.picture_svg, () => takeSvg(view), "SVG");
  button(words.picture_png, () => takePng(view), "PNG");
  if (!chain && !view.phone) {
    button(words.zoom_out, () => zoomTo(view, view.zoom / 1.25), "−");
    button(words.fit, () => zoomTo(view, 1), "⤢");
    button(words.zoom_in, () => zoomTo(view, view.zoom * 1.25), "+");
  }
  return box;
}

/** Search by name: what is typed leads to the card, unfolding the way to it. */
function finder(view) {
  const { words } = view.data, input = make("input"), none = make("span", "none"), choices = make("datalist");
  choices.id = `found-${view.data.key}`;
  for (const card of view.data.cards) choices.appendChild(make("option")).value = card.name;
  set(input, { type: "search", placeholder: words.search, "aria-label": words.search, list: choices.id });
  set(none, { role: "status" });
  const look = () => {
    const typed = input.value.normalize("NFKC").toLowerCase().trim(), named = (card) => card.name.normalize("NFKC").toLowerCase();
    const found = typed && (view.data.cards.find((card) => named(card) === typed) ?? view.data.cards.find((card) => named(card).includes(typed)));
    write(none, typed && !found ? words.nothing_found : "");
    if (found) goTo(view, found.id);
  };
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") look(); event.stopPropagation(); });
  input.addEventListener("change", look);
  return [input, choices, none];
}

function goTo(view, id) {
  for (const one of path(view, view.parent.get(id))) view.folded.delete(one);
  if (view.phone) view.selected = id;
  draw(view);
  const place = view.scene.places.find((one) => one.card.id === id);
  if (!place) return;
  const { window: pane, scale, scene } = view;
  pane.scrollTo((place.x + place.w / 2) * scale - pane.clientWidth / 2, (place.y + place.h / 2 - (scene.top ?? 0)) * scale - pane.clientHeight / 2);
  focus(view, id);
}

/** Keep the present numbers to compare with, or forget them. */
function pin(view) {
  view.kept.pinned = view.kept.pinned ? null : Object.fromEntries(view.data.cards.map((card) => [card.id, valueOf(view.live, card.id)]));
  draw(view);
  view.foot.querySelector(".pin").focus();
}

// ---- events ------------------------------------------------------------------------------------------------------

const cardOf = (event) => event.target.closest?.("[data-id]")?.dataset.id;
const onTrack = (event) => event.target.closest?.(".track[role=slider]");
const isBesides = (event) => event.pointerType === "mouse" && event.target.closest(".finger"); // room for fingers only

function listen(view) {
  view.svg.addEventListener("click", (event) => {
    const id = event.target.closest?.(".card")?.dataset.id;
    if (id && !view.dragged) event.target.closest(".fold") ? fold(view, id) : select(view, id);
  });
  view.svg.addEventListener("focusin", (event) => {
    const id = event.target.closest?.(".card")?.dataset.id;
    if (id && id !== view.focused) { view.focused = id; draw(view); }
  });
  view.svg.addEventListener("focusout", (event) => { if (onTrack(event) && view.held?.keys) letGo(view); });
  view.svg.addEventListener("keydown", (event) => (onTrack(event) ? key(view, event) : press(view, event)));
  view.window.addEventListener("wheel", (event) => {
    if (!event.ctrlKey || view.phone || view.data.stages.length) return;
    event.preventDefault();
    zoomTo(view, view.zoom * Math.exp(-event.deltaY / 300), event);
  }, { passive: false });
  view.window.addEventListener("scroll", () => { frameMap(view); if (view.held) repaint(view); }, { passive: true });
  dragLevers(view);
  dragToPan(view);
  pinch(view);
  roamOnMap(view);
}

/** A lever under a pointer: it follows by as much as the pointer moves, so that taking it changes nothing. */
function dragLevers(view) {
  view.svg.addEventListener("pointerdown", (event) => {
    view.dragged = false;
    const track = onTrack(event), id = cardOf(event);
    if (!track || isBesides(event) || event.button !== 0 || !event.isPrimary) return;
    event.stopPropagation();
    event.preventDefault();
    track.focus({ preventScroll: true });
    const hand = track.querySelector(".hand"), wide = hand.getBoundingClientRect().width, units = Number(hand.getAttribute("width"));
    letGo(view);
    take(view, id, { pointer: event.pointerId, start: event.clientX, startY: event.clientY, touch: event.pointerType === "touch", long: (wide * (units - 16)) / units });
    view.svg.setPointerCapture(event.pointerId);
  });
  view.svg.addEventListener("pointermove", (event) => {
    const { held } = view;
    if (!held || held.pointer !== event.pointerId) return;
    const run = event.clientX - held.start;
    if (Math.abs(run) > 2) view.dragged = true;
    if (view.dragged) shift(view, held.id, along(view.cards.get(held.id), held.from, run / held.long));
  });
  view.svg.addEventListener("pointerup", (event) => {
    const { held } = view;
    if (held?.pointer !== event.pointerId) return;
    letGo(view);
    if (!view.dragged && !view.data.stages.length) select(view, held.id); // the capture keeps the click from its card
  });
  view.svg.addEventListener("touchmove", (event) => keepFinger(view, event), { passive: false });
  view.svg.addEventListener("pointercancel", (event) => { if (view.held?.pointer === event.pointerId) putBack(view); });
}

/** Where the board can be panned too, what a finger on a lever is there for is seen when it begins to move: across, it
 *  moves the lever, and the browser is told to leave it; up or down, the browser scrolls and takes the lever from it.
 */
function keepFinger({ held }, event) {
  if (!held?.touch || !event.cancelable) return;
  const [{ clientX, clientY }] = event.touches;
  held.across ??= Math.abs(clientX - held.start) >= Math.abs(clientY - held.startY);
  if (held.across) event.preventDefault();
}

/** A lever under keys: by a step, ten steps, or to its ends; it counts as let go when the keys rest. */
function key(view, event) {
  const id = cardOf(event), card = view.cards.get(id), [low, high] = card.span, now = valueOf(view.live, id);
  const step = card.step || (high - low) / 100;
  const to = { ArrowRight: now + step, ArrowUp: now + step, ArrowLeft: now - step, ArrowDown: now - step,
    PageUp: now + 10 * step, PageDown: now - 10 * step, Home: low, End: high }[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") return void putBack(view);
  if (event.key === "Enter") return void letGo(view);
  if (to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  const held = take(view, id, { keys: true });
  shift(view, id, to === low || to === high ? to : onGrid(card, to));
  clearTimeout(held.rest);
  held.rest = setTimeout(() => letGo(view), KEYS_REST);
}

function press(view, event) {
  const id = view.focused, { key: pressed } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || view.data.stages.length) return;
  const acts = { Enter: () => select(view, id), " ": () => select(view, id), "+": () => fold(view, id, false), "-": () => fold(view, id, true) };
  const to = neighbour(view, id, pressed);
  if (!acts[pressed] && !to) return;
  event.preventDefault();
  event.stopPropagation();
  if (acts[pressed]) acts[pressed]();
  else focus(view, to);
}

/** The card an arrow leads to: right to what carries this one, left to what it carries, up and down within the column. */
function neighbour(view, id, pressed) {
  const { places } = view.scene, here = places.find((place) => place.card.id === id);
  if (!here) return null;
  const step = { ArrowUp: -1, ArrowDown: 1 }[pressed];
  if (step && view.phone) return places[places.indexOf(here) + step]?.card.id;
  if (step) {
    const ahead = places.filter((place) => (place.y - here.y) * step > 0).sort((a, b) => (a.y - b.y) * step);
    const column = ahead.find((place) => place.card.inside === here.card.inside && place.card.column === here.card.column);
    return (column ?? (step > 0 ? ahead.find((place) => !place.card.inside) : here.card.inside ? null : places[0]))?.card.id;
  }
  const beside = { ArrowRight: 1, ArrowLeft: -1 }[pressed];
  if (beside && !here.card.inside) return places[places.indexOf(here) + beside]?.card.id;
  const seen = (other) => (places.some((place) => place.card.id === other) ? other : null);
  return { ArrowRight: seen(kids(view, id)[0]), ArrowLeft: seen(view.parent.get(id)), Home: places[0].card.id, End: places.at(-1).card.id }[pressed];
}

function focus(view, id) {
  view.focused = id;
  draw(view);
  view.nodes.get(`cards/${id}`)?.focus();
}

function select(view, id) {
  const again = view.selected === id;
  view.selected = view.focused = view.kept.selected = id;
  draw(view);
  if (again) return;
  view.sent.push(id);
  view.tell("selected", id);
}

function fold(view, id, shut = !view.folded.has(id)) {
  if (view.phone || !kids(view, id).length) return;
  view.folded[shut ? "add" : "delete"](id);
  draw(view);
}

/** Zoom about the pointer, or about the middle; 1 is "as wide as the window". */
function zoomTo(view, zoom, at) {
  const pane = view.window, box = pane.getBoundingClientRect(), before = view.svg.getBoundingClientRect().width;
  const px = at ? at.clientX - box.left : box.width / 2, py = at ? at.clientY - box.top : box.height / 2;
  view.zoom = view.kept.zoom = clip(zoom, 0.4, 4);
  draw(view);
  const grown = view.svg.getBoundingClientRect().width / before;
  pane.scrollLeft = (pane.scrollLeft + px) * grown - px;
  pane.scrollTop = (pane.scrollTop + py) * grown - py;
}

function dragToPan(view) {
  let from = null;
  const pane = view.window;
  pane.addEventListener("pointerdown", (event) => {
    view.dragged = false;
    if (event.pointerType === "mouse" && event.button === 0) from = { x: event.clientX + pane.scrollLeft, y: event.clientY + pane.scrollTop, at: event };
  });
  pane.addEventListener("pointermove", (event) => {
    if (view.held || !from || !(event.buttons & 1)) return void (from = null);
    if (Math.hypot(event.clientX - from.at.clientX, event.clientY - from.at.clientY) > 4) view.dragged = true;
    if (!view.dragged) return;
    pane.classList.add("held");
    pane.scrollTo(from.x - event.clientX, from.y - event.clientY);
  });
  for (const done of ["pointerup", "pointerleave"]) pane.addEventListener(done, () => { from = null; pane.classList.remove("held"); });
}

/** Two fingers zoom; one pans, as everywhere on the page. */
function pinch(view) {
  let start = null;
  const spread = ({ touches: [a, b] }) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
  const middle = ({ touches: [a, b] }) => ({ clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 });
  view.window.addEventListener("touchstart", (event) => { start = event.touches.length === 2 && !view.phone && !view.held ? { spread: spread(event), zoom: view.zoom } : null; }, { passive: true });
  view.window.addEventListener("touchmove", (event) => {
    if (!start || event.touches.length !== 2) return;
    event.preventDefault();
    zoomTo(view, (start.zoom * spread(event)) / start.spread, middle(event));
  }, { passive: false });
}

function roamOnMap(view) {
  const go = (event) => {
    if (!(event.buttons & 1) && event.type !== "pointerdown") return;
    event.preventDefault();
    const box = view.map.getBoundingClientRect(), { window: pane, scale, scene } = view;
    pane.scrollTo(((event.clientX - box.left) / box.width) * scene.width * scale - pane.clientWidth / 2, ((event.clientY - box.top) / box.height) * scene.height * scale - pane.clientHeight / 2);
  };
  for (const type of ["pointerdown", "pointermove"]) view.map.addEventListener(type, go);
}
