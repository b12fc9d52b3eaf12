/* The tree board in the browser.
 *
 * Four layers, each calling only the next:
 *   events   click, keys, wheel, drag        -> change the view's state, then draw()
 *   state    receive(): what Python said; view: what the person did here (folded, zoom, selected, focused)
 *   scene    wall() or list(): pure; state and width in, a flat description of cards, wires and signs out
 *   paint    draw(): makes the page equal to the scene, keeping every node that has the same id
 * Paths, line breaks and type sizes come from fit.js, which is joined in front of this file.
 *
 * Python owns every text, number and position; this file never formats or computes one. An evaluator that runs here
 * (a program as data) would go between state and scene: it replaces `now`, `gap`, `filled` of view.cards, then draw().
 * User text reaches the page through textContent only, colours through style.color (which refuses anything else).
 */
const SVG = "http://www.w3.org/2000/svg";
const PHONE = 700; // px: below this the wall becomes a list
const STRETCH = [0.85, 1.3]; // how far columns follow the window where the picture itself cannot be scaled
const GROW = 1.3; // how far a picture may grow on a large screen, while it still fits its height
const SHAPES = {
  tick: "M0 5 L4 9 L11 1",
  down: "M0 1 H10 L5 9 Z",
  lever: "M0 3 H14 M0 11 H14 M7.4 3 a2.4 2.4 0 1 1 -4.8 0 a2.4 2.4 0 1 1 4.8 0 M12.4 11 a2.4 2.4 0 1 1 -4.8 0 a2.4 2.4 0 1 1 4.8 0",
};
const views = new WeakMap(); // where Streamlit mounts us -> view
const memory = new Map(); // the component's key -> what outlives a change of page: folded, zoom

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
  const root = make("div", "board");
  const pane = root.appendChild(make("div", "view"));
  const svg = pane.appendChild(shape("svg", { role: "tree" }));
  const layers = Object.fromEntries(["wires", "headings", "signs", "cards"].map((name) =>
    [name, svg.appendChild(shape("g", { class: name, role: name === "cards" ? "none" : "presentation" }))]));
  const foot = root.appendChild(make("div", "foot"));
  const view = { root, window: pane, svg, layers, foot, turn: 0, nodes: new Map(), sent: [], width: 0, first: true };
  view.observer = new ResizeObserver(() => { if (root.clientWidth !== view.width) draw(view); });
  host.appendChild(root);
  listen(view);
  view.observer.observe(root);
  views.set(host, view);
  return view;
}

function close(host, view) {
  view.observer.disconnect();
  view.root.remove();
  views.delete(host);
}

function receive(view, { data, setTriggerValue }) {
  if (!memory.has(data.key)) memory.set(data.key, { folded: new Set(), zoom: 1 });
  Object.assign(view, memory.get(data.key), { kept: memory.get(data.key), data, tell: setTriggerValue });
  view.cards = new Map(data.cards.map((card) => [card.id, card]));
  view.parent = new Map(data.edges.filter((edge) => edge.main).map((edge) => [edge.target, edge.source]));
  view.wires = new Map();
  for (const edge of data.edges) view.wires.set(edge.source, [...(view.wires.get(edge.source) ?? []), edge]);
  followSelection(view, data.selected);
  if (!view.cards.has(view.selected)) view.selected = null;
  if (!view.cards.has(view.focused)) view.focused = view.selected ?? data.root;
}

/** Python echoes our own clicks late: an echo of an older click must not undo a newer one. */
function followSelection(view, selected) {
  const echo = view.sent.indexOf(selected);
  if (echo >= 0) view.sent.splice(0, echo + 1);
  const changed = selected !== view.told;
  view.told = selected;
  if (changed && (echo < 0 || view.sent.length === 0)) view.selected = selected;
}

const inside = (view) => view.data.cards.filter((card) => card.inside);
const outside = (view) => view.data.cards.filter((card) => !card.inside);
const kids = (view, id) => (view.wires.get(id) ?? []).filter((edge) => edge.main).map((edge) => edge.target);
const path = (view, id) => (id == null ? [] : [...path(view, view.parent.get(id)), id]);

/** Ids still to be seen: everything the goal reaches without passing through a folded card. */
function unfolded(view) {
  const seen = new Set([view.data.root]);
  for (const id of seen) if (!view.folded.has(id)) for (const edge of view.wires.get(id) ?? []) seen.add(edge.target);
  return seen;
}

// ---- scene: pure descriptions ------------------------------------------------------------------------------------

/** The whole tree, columns stretched to the window; folded branches give their rows back. */
function wall(view, width) {
  const { size, words } = view.data;
  const grow = Math.max(1, Math.min(GROW, width / size.width, (0.62 * window.innerHeight) / size.height));
  const stretch = Math.min(STRETCH[1], Math.max(STRETCH[0], width / size.width / grow));
  const seen = unfolded(view);
  const shown = inside(view).filter((card) => seen.has(card.id));
  const rise = squeeze(shown.map((card) => card.y), size.row_pitch);
  const w = size.card_width * stretch, h = size.card_height, pitch = size.column_pitch * stretch;
  const at = new Map(shown.map((card) => [card.id, { card, x: card.x * stretch, y: rise(card.y), w, h }]));
  const strip = Math.max(...[...at.values()].map((place) => place.y)) + h + (size.strip_y - bottom(view));
  const monitors = outside(view);
  for (const card of monitors) at.set(card.id, { card, x: card.x * stretch, y: strip + card.y - size.strip_y, w, h });

  const hot = new Set(path(view, view.parent.has(view.selected) ? view.selected : null));
  const wires = [], signs = [];
  for (const { card, x, y } of [...at.values()].filter(({ card }) => card.inside && !view.folded.has(card.id))) {
    const links = view.wires.get(card.id) ?? [], bend = x + w + (pitch - w) * 0.46;
    for (const edge of links) {
      const end = at.get(edge.target), turn = edge.main ? bend : bend + 13; // a side link passes beside its neighbours' signs
      const lanes = edge.via.map((via, n) => [rise(via), turn + pitch * (n + 1)]);
      wires.push({ id: `${edge.source}>${edge.target}`, d: elbows(x + w, y + h / 2, [turn, ...lanes.flat()], end.y + h / 2, end.x),
        side: !edge.main, hot: hot.has(edge.source) && hot.has(edge.target) && edge.main });
    }
    if (links.length) signs.push({ id: card.id, x: bend, y: y + h / 2, text: card.operator, title: card.operator_name, hot: hot.has(card.id) && links.some((edge) => hot.has(edge.target)) });
  }
  const headings = monitors.length ? [{ id: "monitors", x: 0, y: strip - 10, text: words.monitors }] : [];
  const feeds = new Set(monitors.some((card) => card.id === view.selected) ? view.data.children[view.selected] : []);
  const places = [...at.values()].map(tall), top = Math.min(...places.map((place) => place.y));
  return { places, wires, signs, headings, feeds, top, grow, width: size.width * stretch,
    height: Math.max(...places.map((place) => place.y + place.h)) - top, hidden: (id) => hiddenBelow(view, id, seen) };
}

/** A phone: the way from the goal to the chosen card, then what carries it; every card as wide as the screen. */
function list(view, width) {
  const h = 68, { words } = view.data, chosen = view.cards.get(view.selected) ?? view.cards.get(view.data.root);
  const way = chosen.inside ? path(view, chosen.id) : [chosen.id];
  const places = [], wires = [], signs = [], headings = [];
  let y = 0;
  const put = (id, x, gap) => { places.push({ card: view.cards.get(id), x, y, w: width - x, h, wide: true }); y += h + gap; };
  const heading = (id, text) => { headings.push({ id, x: 0, y: y + 12, text }); y += 22; };
  const sign = (id, at) => signs.push({ id, x: 24, y: at, text: view.cards.get(id).operator, title: view.cards.get(id).operator_name, hot: true });
  if (way.length > 1) heading("path", words.path);
  way.forEach((id, n) => {
    put(id, 0, 24);
    if (n === way.length - 1) return;
    wires.push({ id: `${id}>${way[n + 1]}`, d: `M24 ${y - 24} V${y}`, hot: true });
    sign(id, y - 12);
  });
  const below = view.data.children[chosen.id] ?? [], top = y - 24;
  if (below.length) {
    sign(chosen.id, top + 15);
    y += 8;
    headings.push({ id: "carries", x: 42, y: top + 19, text: words.carries });
    for (const id of below) {
      wires.push({ id: `${chosen.id}>${id}`, d: elbows(24, top, [24], y + h / 2, 48, true) });
      put(id, 48, 8);
    }
  }
  const others = chosen.id === view.data.root || !chosen.inside ? outside(view).filter((card) => card !== chosen && !below.includes(card.id)) : [];
  if (others.length) { y += 16; heading("monitors", words.monitors); }
  for (const card of others) put(card.id, 0, 8);
  return { places, wires, signs, headings, feeds: new Set(), width, height: Math.max(...places.map((place) => place.y + h)), hidden: () => 0 };
}

/** The goal stands alone in its column, so its card may be taller: the gap gets a line of its own. */
const tall = (place) => (place.card.role === "kgi" ? { ...place, y: place.y + place.h / 2 - 50, h: 100 } : place);
const bottom = (view) => Math.max(...inside(view).map((card) => card.y)) + view.data.size.card_height;
const hiddenBelow = (view, id, seen) => inside(view).filter((card) => !seen.has(card.id) && path(view, card.id).includes(id)).length;

// ---- paint -------------------------------------------------------------------------------------------------------

function draw(view) {
  const width = view.width = view.root.clientWidth;
  if (!width) return;
  view.font = getComputedStyle(view.root).fontFamily;
  view.phone = width < PHONE;
  const scene = view.phone ? list(view, width) : wall(view, width);
  const scale = view.phone ? 1 : Math.min(scene.grow, width / scene.width) * view.zoom;
  view.scene = scene;
  if (!scene.places.some((place) => place.card.id === view.focused)) view.focused = scene.places.at(view.phone ? -1 : 0).card.id;
  set(view.svg, { width: scene.width * scale, height: scene.height * scale, viewBox: `0 ${scene.top ?? 0} ${scene.width} ${scene.height}`, "aria-label": view.data.words.tree });
  view.svg.style.overflow = "visible";
  view.window.style.maxHeight = view.data.height && !view.phone ? `${view.data.height}px` : "";
  sync(view, "wires", [...scene.wires].sort((a, b) => !!a.hot - !!b.hot), () => shape("path"), (node, wire) => set(node, { d: wire.d, class: `wire${wire.side ? " side" : ""}${wire.hot ? " hot" : ""}` }));
  sync(view, "headings", scene.headings, () => shape("text", { class: "heading" }), (node, heading) => say(set(node, { x: heading.x, y: heading.y }), heading.text));
  sync(view, "signs", scene.signs, newSign, paintSign);
  sync(view, "cards", scene.places.map((place) => ({ ...place, id: place.card.id })), newCard, (node, place) => paintCard(view, node, place));
  paintFoot(view);
  const { scrollWidth, clientWidth, scrollHeight, clientHeight } = view.window;
  if (view.first && scrollHeight > clientHeight + 1) {
    const goal = scene.places[0];
    view.window.scrollTop = (goal.y + goal.h / 2 - (scene.top ?? 0)) * scale - clientHeight / 2;
  }
  view.first = false;
  view.window.classList.toggle("roams", scrollWidth > clientWidth + 1 || scrollHeight > clientHeight + 1);
}

/** Make a layer hold one node per item, in order, reusing nodes by id; nothing moves that need not. */
function sync(view, layer, items, create, paint) {
  const parent = view.layers[layer], keep = new Set();
  let next = parent.firstChild;
  for (const item of items) {
    const known = `${layer}/${item.id}`;
    if (!view.nodes.has(known)) view.nodes.set(known, create());
    const node = view.nodes.get(known);
    if (layer === "cards") node.dataset.id = item.id;
    keep.add(node);
    while (next && next !== node && !items.some((other) => view.nodes.get(`${layer}/${other.id}`) === next)) next = next.nextSibling;
    if (next === node) next = next.nextSibling;
    else if (node.parentNode !== parent || layer !== "cards") parent.insertBefore(node, next);
    paint(node, item);
  }
  for (const [known, node] of view.nodes) if (known.startsWith(`${layer}/`) && !keep.has(node)) { node.remove(); view.nodes.delete(known); }
}

function newSign() {
  const node = shape("g");
  node.parts = { title: node.appendChild(shape("title")), circle: node.appendChild(shape("circle", { r: 9.5 })), text: node.appendChild(shape("text", { y: 5 })) };
  return node;
}

function paintSign(node, sign) {
  set(node, { class: `sign${sign.hot ? " hot" : ""}`, transform: `translate(${sign.x} ${sign.y})` });
  say(node.parts.title, sign.title);
  say(node.parts.text, sign.text);
}

function newCard() {
  const node = shape("g", { role: "treeitem" }), parts = node.parts = {};
  const add = (name, tag, attributes = {}, into = node) => (parts[name] = into.appendChild(shape(tag, { class: name, ...attributes })));
  add("title", "title");
  add("halo", "rect", { x: -4, y: -4, rx: 10 });
  add("box", "rect", { rx: 7 });
  add("spine", "path");
  for (const name of ["name0", "name1"]) add(name, "text", { class: "name" });
  add("value", "text");
  add("number", "tspan", {}, parts.value);
  add("unit", "tspan", { dx: 1 }, parts.value);
  add("gap", "text");
  for (const name of ["mark", "lever"]) add(name, "path");
  for (const name of ["groove", "fill"]) add(name, "rect", { height: 4, rx: 2 });
  add("required", "text");
  add("fold", "g");
  add("action", "title", {}, parts.fold);
  add("reach", "rect", { x: -14, y: -14, height: 28 }, parts.fold);
  add("plate", "rect", { y: -8, x: -8, height: 16, rx: 4 }, parts.fold);
  add("count", "text", { y: 4 }, parts.fold);
  return node;
}

function paintCard(view, node, { card, x, y, w, h, wide }) {
  const { parts } = node, selected = card.id === view.selected, shut = view.folded.has(card.id), hasKids = kids(view, card.id).length > 0;
  set(node, { transform: `translate(${x} ${y})`, tabindex: card.id === view.focused ? 0 : -1, "aria-label": card.spoken,
    "aria-level": card.inside ? card.column + 1 : 1, "aria-selected": selected, "aria-expanded": hasKids && !wide ? !shut : null,
    class: ["card", card.role, card.status === "gap" ? "has-gap" : "", view.scene.feeds.has(card.id) ? "feeds" : ""].join(" ").trim() });
  node.style.color = card.colour;
  say(parts.title, [card.name, card.formula, card.team_name].filter(Boolean).join("\n"));
  set(parts.halo, { width: w + 8, height: h + 8 });
  set(parts.box, { width: w, height: h });
  set(parts.spine, { d: `M7 0 A7 7 0 0 0 0 7 V${h - 7} A7 7 0 0 0 7 ${h} Q4 ${h - 1} 4 ${h - 7} V7 Q4 1 7 0 Z` });
  paintWords(view, parts, card, { w, h, wide });
  paintBar(view, parts, card, { w, h });
  const label = shut ? `+${view.scene.hidden(card.id)}` : "−", plate = Math.max(16, measure(view.font, label, 11, 600) + 8);
  set(parts.fold, { class: `fold${shut ? " shut" : ""}`, display: hasKids && !wide ? null : "none", transform: `translate(${w + (shut ? 6 : 0)} ${h / 2})` });
  set(parts.plate, { width: plate });
  set(parts.reach, { width: plate + 12 });
  set(parts.count, { x: plate / 2 - 8 });
  say(parts.count, label);
  say(parts.action, view.data.words[shut ? "unfold" : "fold"]);
}

/** Name, value with its unit, and the gap where there is room for it (on the goal's card it has its own line). */
function paintWords(view, parts, card, { w, h, wide }) {
  const small = h < 70 && !wide, big = h > 90, left = 13, room = w - left - 10, gapPx = big ? 13 : 11.5;
  const px = small ? 11 : wide ? 14 : 12.5, names = wrap(view.font, card.name, { room, px, most: wide ? 1 : 2, notch: card.role !== "input" ? 0 : small ? 12 : 18 });
  const two = names.length > 1, drop = card.required == null ? (big ? 12 : two ? 3 : small ? 4 : 6) : 0, first = (two ? (small ? 14 : 16) : small ? 17 : 20) + drop;
  [parts.name0, parts.name1].forEach((node, n) => say(set(node, { x: left, y: first + n * (small ? 12.5 : 14), "font-size": px }), names[n] ?? ""));
  set(parts.lever, { d: SHAPES.lever, transform: small ? `translate(${w - 19} 5) scale(0.72)` : `translate(${w - 24} ${two ? 3 : 8})`, display: card.role === "input" ? null : "none" });
  const [number, unit] = parted(card), mark = { reached: 18, gap: 16 }[card.status] ?? 0;
  const long = (size) => measure(view.font, number, size, 650) + measure(view.font, unit, size * 0.62) + 2;
  const gapText = card.status === "gap" ? card.gap ?? "" : "", tail = gapText ? measure(view.font, gapText, gapPx, 600) + 6 : 0;
  const best = small ? (two ? 16 : 18) : two ? 20 : big ? 27 : 23, sizes = Array.from({ length: best - 10 }, (_, n) => best - n);
  const shared = big ? null : sizes.find((size) => size >= (small ? 14 : 17) && long(size) + mark + tail <= room);
  const size = shared ?? sizes.find((one) => long(one) + (big ? 0 : mark) <= room) ?? 11;
  const base = drop + (big ? (two ? 56 : 50) : small ? (two ? 44 : 40) : two ? 51 : 47), line = big ? h - 25 : base, told = shared || big ? gapText : "";
  say(set(parts.number, { x: left, y: base, "font-size": size }), number);
  say(set(parts.unit, { "font-size": size * 0.62 }), unit);
  say(set(parts.gap, { x: big ? left + 16 : w - 10, y: line, "font-size": gapPx, "text-anchor": big ? "start" : "end" }), told);
  const x = big && card.status === "gap" ? left : told ? w - 10 - tail - 7 : left + long(size) + 7;
  set(parts.mark, { d: card.status === "gap" ? SHAPES.down : SHAPES.tick, display: mark ? null : "none",
    transform: card.status === "gap" ? `translate(${x} ${line - 9})` : `translate(${x} ${base - 11})` });
}

function paintBar(view, parts, card, { w, h }) {
  const left = 13, y = h - (h < 70 ? 11 : 12), shown = card.required != null, end = shown ? measure(view.font, card.required, 11.5) + 18 : 0, long = Math.max(16, w - left - end);
  for (const name of ["groove", "fill", "required"]) set(parts[name], { display: shown ? null : "none" });
  say(set(parts.required, { x: w - 10, y: y + 6 }), card.required ?? "");
  set(parts.groove, { x: left, y, width: long });
  set(parts.fill, { x: left, y, width: long });
  parts.fill.style.transformOrigin = `${left}px 0`;
  parts.fill.style.transform = `scaleX(${card.filled})`;
}

/** What the signs mean, the teams' colours, and the zoom. */
function paintFoot(view) {
  const { words, cards } = view.data, teams = new Map(cards.filter((card) => card.team_name).map((card) => [card.team, card]));
  const said = JSON.stringify([words, view.phone, [...teams.values()].map((card) => [card.team_name, card.colour]), cards.map((card) => card.status + card.role)]);
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
  const any = (test) => cards.some(test);
  if (any((card) => card.role === "input")) items.push(key(words.lever, [["path", { d: SHAPES.lever, class: "lever" }]]));
  if (any((card) => card.required != null)) items.push(key(words.now_required, [["rect", { y: 5, width: 30, height: 4, rx: 2, class: "groove" }], ["rect", { y: 5, width: 20, height: 4, rx: 2, fill: "currentColor" }]], true));
  if (any((card) => card.status === "gap")) items.push(key(words.gap, [["path", { d: SHAPES.down, transform: "translate(2 2)", style: "fill:var(--gap)" }]]));
  if (any((card) => card.status === "reached")) items.push(key(words.reached, [["path", { d: SHAPES.tick, class: "mark", transform: "translate(1 2)" }]]));
  view.foot.replaceChildren(...items, ...(view.phone ? [] : [zoomButtons(view)]));
}

function zoomButtons(view) {
  const box = make("span", "zoom");
  for (const [text, label, zoom] of [["−", "zoom_out", () => view.zoom / 1.25], ["⤢", "fit", () => 1], ["+", "zoom_in", () => view.zoom * 1.25]]) {
    const button = box.appendChild(make("button"));
    set(say(button, text), { type: "button", "aria-label": view.data.words[label], title: view.data.words[label] });
    button.onclick = () => zoomTo(view, zoom());
  }
  return box;
}

// ---- events ------------------------------------------------------------------------------------------------------

function listen(view) {
  const at = (event) => event.target.closest?.(".card")?.dataset.id;
  view.svg.addEventListener("click", (event) => {
    const id = at(event);
    if (id && !view.dragged) event.target.closest(".fold") ? fold(view, id) : select(view, id);
  });
  view.svg.addEventListener("focusin", (event) => { view.focused = at(event) ?? view.focused; });
  view.svg.addEventListener("keydown", (event) => press(view, event));
  view.window.addEventListener("wheel", (event) => {
    if (!event.ctrlKey || view.phone) return;
    event.preventDefault();
    zoomTo(view, view.zoom * Math.exp(-event.deltaY / 300), event);
  }, { passive: false });
  dragToPan(view);
}

function press(view, event) {
  const id = view.focused, { key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const acts = { Enter: () => select(view, id), " ": () => select(view, id), "+": () => fold(view, id, false), "-": () => fold(view, id, true) };
  const to = neighbour(view, id, key);
  if (!acts[key] && !to) return;
  event.preventDefault();
  event.stopPropagation();
  if (acts[key]) acts[key]();
  else focus(view, to);
}

/** The card an arrow leads to: right to what carries this one, left to what it carries, up and down within the column. */
function neighbour(view, id, key) {
  const { places } = view.scene, here = places.find((place) => place.card.id === id);
  if (!here) return null;
  const step = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (step && view.phone) return places[places.indexOf(here) + step]?.card.id;
  if (step) {
    const ahead = places.filter((place) => (place.y - here.y) * step > 0).sort((a, b) => (a.y - b.y) * step);
    const column = ahead.find((place) => place.card.inside === here.card.inside && place.card.column === here.card.column);
    return (column ?? (step > 0 ? ahead.find((place) => !place.card.inside) : here.card.inside ? null : places[0]))?.card.id;
  }
  const beside = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (beside && !here.card.inside) return places[places.indexOf(here) + beside]?.card.id;
  const seen = (other) => (places.some((place) => place.card.id === other) ? other : null);
  return { ArrowRight: seen(kids(view, id)[0]), ArrowLeft: seen(view.parent.get(id)), Home: places[0].card.id, End: places.at(-1).card.id }[key];
}

function focus(view, id) {
  view.focused = id;
  draw(view);
  view.nodes.get(`cards/${id}`)?.focus();
}

function select(view, id) {
  const again = view.selected === id;
  view.selected = view.focused = id;
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
  view.zoom = view.kept.zoom = Math.min(4, Math.max(0.4, zoom));
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
    if (!from || !(event.buttons & 1)) return void (from = null);
    if (Math.hypot(event.clientX - from.at.clientX, event.clientY - from.at.clientY) > 4) view.dragged = true;
    if (!view.dragged) return;
    pane.classList.add("held");
    pane.scrollTo(from.x - event.clientX, from.y - event.clientY);
  });
  for (const done of ["pointerup", "pointerleave"]) pane.addEventListener(done, () => { from = null; pane.classList.remove("held"); });
}

// ---- nodes -------------------------------------------------------------------------------------------------------

const make = (tag, name = "") => Object.assign(document.createElement(tag), { className: name });
const shape = (tag, attributes = {}) => set(document.createElementNS(SVG, tag), attributes);

function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  }
  return node;
}

function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
  return node;
}
