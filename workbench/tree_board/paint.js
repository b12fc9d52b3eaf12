/* Paint: make the page equal to a scene, keeping every node that has the same id. Only numbers move while a lever does.
 * People's text reaches the page through textContent only, colours through style.color (which refuses anything else).
 */
const FINGER = 46; // px: what a finger is to hit is 44 at least, wherever pixels fall
const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  tick: "M0 5 L4 9 L11 1",
  down: "M0 1 H10 L5 9 Z",
  lever: "M0 3 H14 M0 11 H14 M7.4 3 a2.4 2.4 0 1 1 -4.8 0 a2.4 2.4 0 1 1 4.8 0 M12.4 11 a2.4 2.4 0 1 1 -4.8 0 a2.4 2.4 0 1 1 4.8 0",
  pin: "M5 0 L10 5 L5 10 L0 5 Z",
};

/** Four bars, the first n of them: how likely a target is. */
const signal = (n) => [0, 1, 2, 3].slice(0, n).map((at) => `M${at * 4} ${8 - at * 2.5} h3 V11 h-3 Z`).join(" ");

const make = (tag, name = "") => Object.assign(document.createElement(tag), { className: name });
const shape = (tag, attributes = {}) => set(document.createElementNS(SVG, tag), attributes);

function set(node, attributes) {
  for (const name in attributes) {
    const value = attributes[name];
    if (value == null) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  }
  return node;
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
  return node;
}

/** Make a layer hold one node per item, in order, reusing nodes by id; nothing moves that need not. */
function sync(view, layer, items, create, paint) {
  const parent = view.layers[layer], keep = new Map(items.map((item) => [`${layer}/${item.id}`, item]));
  for (const [known, node] of view.nodes) if (known.startsWith(`${layer}/`) && !keep.has(known)) { node.remove(); view.nodes.delete(known); }
  let next = parent.firstChild;
  for (const [known, item] of keep) {
    let node = view.nodes.get(known);
    if (!node) view.nodes.set(known, (node = create(item)));
    node.dataset.id = item.id;
    if (node === next) next = next.nextSibling;
    else parent.insertBefore(node, next);
    paint(node, item);
  }
}

// ---- cards -------------------------------------------------------------------------------------------------------

function adder(node, parts) {
  return (name, tag, attributes = {}, into = node) => (parts[name] = into.appendChild(shape(tag, { class: name, ...attributes })));
}

function newCard() {
  const node = shape("g", { role: "treeitem" }), parts = (node.parts = {}), add = adder(node, parts);
  add("title", "title");
  add("halo", "rect", { x: -4, y: -4, rx: 10 });
  add("box", "rect", { rx: 7 });
  add("spine", "path");
  for (const name of ["name0", "name1"]) add(name, "text", { class: "name" });
  add("team", "text", { y: -2 });
  add("value", "text");
  add("number", "tspan", {}, parts.value);
  add("unit", "tspan", { dx: 1 }, parts.value);
  add("gap", "text");
  for (const name of ["mark", "lever"]) add(name, "path");
  add("chance", "g", { "aria-hidden": true });
  add("rest", "path", { d: signal(4) }, parts.chance);
  add("likely", "path", {}, parts.chance);
  addTrack(node, parts, add);
  add("required", "text");
  add("fold", "g");
  add("action", "title", {}, parts.fold);
  add("reach", "rect", { x: -14, y: -14, height: 28 }, parts.fold);
  add("plate", "rect", { y: -8, x: -8, height: 16, rx: 4 }, parts.fold);
  add("count", "text", { y: 4 }, parts.fold);
  return node;
}

/** The bar of a card or the way of a lever: how far it is, what is needed, what it was, and a handle. */
function addTrack(node, parts, add) {
  add("track", "g");
  add("finger", "rect", {}, parts.track);
  add("hand", "rect", { height: 24 }, parts.track);
  for (const name of ["groove", "fill", "lack"]) add(name, "rect", { height: 4, rx: 2 }, parts.track);
  for (const name of ["was", "there"]) add(name, "path", {}, parts.track);
  add("ring", "circle", { r: 9 }, parts.track);
  add("thumb", "circle", { r: 5.5 }, parts.track);
}

function paintCard(view, node, { card, x, y, w, h, wide }) {
  const { parts } = node, selected = card.id === view.selected, shut = view.folded.has(card.id), hasKids = kids(view, card.id).length > 0;
  set(node, { transform: `translate(${x} ${y})`, tabindex: card.id === view.focused ? 0 : -1,
    "aria-level": card.inside ? card.column + 1 : 1, "aria-selected": selected, "aria-expanded": hasKids && !wide ? !shut : null });
  node.style.color = card.colour;
  set(parts.halo, { width: w + 8, height: h + 8 });
  set(parts.box, { width: w, height: h });
  set(parts.spine, { d: `M7 0 A7 7 0 0 0 0 7 V${h - 7} A7 7 0 0 0 7 ${h} Q4 ${h - 1} 4 ${h - 7} V7 Q4 1 7 0 Z` });
  set(write(parts.team, card.team_name), { x: 4 });
  nameCard(view, node, card, { w, h, wide });
  const label = shut ? `+${view.scene.hidden(card.id)}` : "−", plate = Math.max(16, measure(view.font, label, 11, 600) + 8);
  set(parts.fold, { class: `fold${shut ? " shut" : ""}`, display: hasKids && !wide ? null : "none", transform: `translate(${w + (shut ? 6 : 0)} ${h / 2})` });
  set(parts.plate, { width: plate });
  set(parts.reach, { width: plate + 12 });
  set(parts.count, { x: plate / 2 - 8 });
  write(parts.count, label);
  write(parts.action, view.data.words[shut ? "unfold" : "fold"]);
}

/** The name on one line or two, and the sign of a lever. */
function nameCard(view, node, card, { w, h, wide }) {
  const { parts } = node, small = h < 70 && !wide, room = w - 23, px = small ? 11 : wide ? 14 : 12.5;
  const names = wrap(view.font, card.name, { room, px, most: wide ? 1 : 2, notch: (card.span ? (small ? 12 : 18) : 0) + (card.chance ? (small ? 13 : 19) : 0) }), two = names.length > 1;
  [parts.name0, parts.name1].forEach((line, n) => write(set(line, { x: 13, "font-size": px }), names[n] ?? ""));
  node.two = two;
  set(parts.lever, { d: SHAPES.lever, transform: small ? `translate(${w - 19} 5) scale(0.72)` : `translate(${w - 24} ${two ? 3 : 8})`, display: card.span ? null : "none" });
  set(parts.likely, { d: signal(card.chance) });
  set(parts.chance, { transform: small ? `translate(${w - (card.span ? 33 : 20)} 5) scale(0.8)` : `translate(${w - (card.span ? 46 : 25)} ${two ? 5 : 10})` });
}

/** Everything on a card that moves with the numbers. */
function paintCardNumbers(view, node, { card, w, h, wide }) {
  const { parts } = node, said = says(view.live, card, view.kept.pinned), small = h < 70 && !wide, big = h > 90, { two } = node;
  set(node, { class: ["card", card.role, card.span ? "movable" : "", said.status === "gap" ? "has-gap" : "", view.scene.feeds.has(card.id) ? "feeds" : "", view.lit.has(card.id) ? "lit" : ""].join(" ").trim() });
  set(parts.chance, { display: card.chance && !view.live.changed.size && said.required != null ? null : "none" }); // judged by Python: stale while a lever moves
  const left = 13, room = w - left - 10, gapPx = big ? 13 : 11.5, bare = said.required == null && !card.span && !(big && said.pinned);
  const drop = bare ? (big ? 12 : two ? 3 : small ? 4 : 6) : 0, first = (two ? (small ? 14 : 16) : small ? 17 : 20) + drop;
  [parts.name0, parts.name1].forEach((line, n) => set(line, { y: first + n * (small ? 12.5 : 14) }));
  const roomy = measure(view.font, said.now, 12.5, 650) <= room, [number, unit] = parted(roomy ? said.now : withoutUnit(said.now), card.unit);
  const digits = measure(view.font, number, 1, 650), end = measure(view.font, unit, 0.62), long = (size) => (digits + end) * size + 2;
  // A lever keeps room to be moved in; what it would have to be stands beside that, or else beside its value.
  const road = card.span ? 52 : 16, apart = card.span ? 14 : 8, space = w - left - 10 - road - apart, whole = said.required ?? "";
  const required = measure(view.font, whole, 10) <= space ? whole : withoutUnit(whole), cramped = card.span && measure(view.font, required, 8.5) > space;
  const aside = said.pinned ?? (said.status === "gap" ? (cramped ? `→${required.replace(/ ?\(.*/, "")}` : said.gap ?? "") : ""), tail = aside ? measure(view.font, aside, gapPx, 600) + 6 : 0;
  const arrow = cramped && said.pinned == null, mark = arrow ? 0 : { reached: 18, gap: 16 }[said.status] ?? 0; // an arrow in the gap's colour says it
  const best = small ? (two ? 16 : 18) : two ? 20 : big ? 27 : 23, room1 = room - mark - tail, least = cramped ? 11 : small ? 14 : 17;
  const fitting = (space) => Math.min(best, Math.floor((space - 2) / (digits + end)));
  const shared = !big && fitting(room1) >= least ? fitting(room1) : null, size = shared ?? Math.max(11, fitting(room - (big ? 0 : mark)));
  const base = drop + (big ? (two ? 56 : 50) : small ? (two ? 44 : 40) : two ? 51 : 47), line = big ? h - 25 : base, told = shared || big ? aside : "";
  write(set(parts.number, { x: left, y: base, "font-size": size }), number);
  write(set(parts.unit, { "font-size": size * 0.62 }), unit);
  write(set(parts.gap, { class: said.pinned ? "gap pinned" : "gap", x: big ? left + 16 : w - 10, y: line, "font-size": gapPx, "text-anchor": big ? "start" : "end" }), told);
  const low = said.status === "gap" || said.pinned != null, x = big && low ? left : told ? w - 10 - tail - 7 : left + long(size) + 7;
  set(parts.mark, { d: said.pinned != null ? SHAPES.pin : said.status === "gap" ? SHAPES.down : SHAPES.tick, class: said.pinned != null ? "mark pinned" : "mark",
    display: x + 10 <= w && (mark || (arrow && !told && said.status === "gap") || (said.pinned != null && told)) ? null : "none", transform: low ? `translate(${x} ${line - 9})` : `translate(${x} ${base - 11})` });
  const y = h - (h < 70 ? 11 : 12), type = clip(space / measure(view.font, required || "0", 1), 8.5, 11.5), shown = said.required != null && !cramped;
  write(set(parts.required, { x: w - 10, y: y + 6, "font-size": type, display: shown ? null : "none" }), required);
  const taken = shown ? measure(view.font, required, type) + 10 + apart : 10;
  paintTrack(view, parts, card, said, { left, right: w - taken, y: y + 2, above: y + 2, below: h - y + 2 });
}

/** A lever's way runs over its own range; anything else's bar holds 0, now, what is needed and what it is compared with.
 *  A finger has all the height it needs around it, but no more than what is free `above` and `below`.
 */
function paintTrack(view, parts, card, said, { left, right, y, above = 12, below = 12 }) {
  const long = right - left, at = (share) => left + clip(share) * long, shown = card.span != null || said.required != null;
  set(parts.track, { class: "track", display: shown ? null : "none", transform: `translate(0 ${y})`, ...sliding(view, card, said) });
  const tall = FINGER / view.scale, under = Math.min(tall / 2, below), over = Math.min(tall - under, above);
  set(parts.hand, { x: left - 8, y: -12, width: long + 16, display: card.span ? null : "none" });
  set(parts.finger, { x: left - 8, y: -over, width: long + 16, height: over + under, display: card.span ? null : "none" });
  set(parts.groove, { x: left, y: -2, width: long });
  const span = (node, one, other) => set(node, { x: at(Math.min(one, other)), y: -2, width: Math.max(0.01, Math.abs(at(one) - at(other))) });
  span(parts.fill, said.zero ?? 0, said.here ?? 0);
  const lacks = said.status === "gap" && said.required != null && said.here != null && said.there != null;
  set(span(parts.lack, said.here ?? 0, said.there ?? 0), lacks ? {} : { width: 0 });
  const pointed = lacks && said.there >= 0 && (card.span ? said.there <= 1 : said.there < 1); // the bar's end needs no sign
  set(parts.there, { d: "M-4 -7 H4 L0 -2 Z", transform: `translate(${at(said.there ?? 0)} 0)`, display: pointed ? null : "none" });
  const was = said.was < 0 ? "M2 -5 L-3 0 L2 5" : said.was > 1 ? "M-2 -5 L3 0 L-2 5" : "M0 -6 V6"; // beyond a lever's range: pointed out
  set(parts.was, { d: was, transform: `translate(${at(said.was ?? 0)} 0)`, display: said.was == null ? "none" : null });
  set(parts.thumb, { cx: at(said.here ?? 0), cy: 0, display: card.span ? null : "none" });
  set(parts.ring, { cx: at(said.here ?? 0), cy: 0 });
}

/** What makes a lever's way a slider for keys and screen readers; only the focused card's can be tabbed to. */
function sliding(view, card, said) {
  if (!card.span) return { role: null, tabindex: null, "aria-label": null, "aria-valuemin": null, "aria-valuemax": null, "aria-valuenow": null, "aria-valuetext": null };
  const root = view.cards.get(view.data.root), text = fill(view.data.words.lever_spoken, { now: said.now, kgi: root.name, value: say(view.live, root, valueOf(view.live, root.id)) });
  return { role: "slider", tabindex: view.data.stages.length || card.id === view.focused ? 0 : -1, "aria-label": card.name,
    "aria-valuemin": card.span[0], "aria-valuemax": card.span[1], "aria-valuenow": valueOf(view.live, card.id), "aria-valuetext": text };
}

function newSign() {
  const node = shape("g");
  node.parts = { title: node.appendChild(shape("title")), circle: node.appendChild(shape("circle", { r: 9.5 })), text: node.appendChild(shape("text", { y: 5 })) };
  return node;
}

function paintSign(node, sign) {
  set(node, { class: `sign${sign.hot ? " hot" : ""}`, transform: `translate(${sign.x} ${sign.y})` });
  write(node.parts.title, sign.title);
  write(node.parts.text, sign.text);
}

// ---- the funnel --------------------------------------------------------------------------------------------------

function newBar() {
  const node = shape("g"), parts = (node.parts = {}), add = adder(node, parts);
  add("title", "title");
  add("joint", "path");
  add("stage", "rect", { rx: 3 });
  add("ghost", "rect", { rx: 3 });
  add("label", "text");
  add("more", "text");
  add("value", "text");
  add("gap", "text");
  add("mark", "path");
  addTrack(node, parts, add);
  add("required", "text");
  return node;
}

/** A name beside the funnel, on one line or on two; `y` is where one line stands. */
function nameBeside(view, { label, more }, name, { x, y, px, room, two }) {
  const names = wrap(view.font, name, { room, px, most: two ? 2 : 1 }), apart = names.length > 1 ? px / 2 : 0;
  [label, more].forEach((line, n) => write(set(line, { x, y: y + (n ? apart + 0.5 : -apart), "font-size": px }), names[n] ?? ""));
}

const wideness = (x) => Math.log10(Math.max(0, x) + 1);

/** Return the widest bar of the funnel: of what is now and of what it is compared with. */
function widest({ data, live, kept }) {
  const compared = kept.pinned ?? live.baseline, stages = data.stages.filter((stage) => stage.metric !== data.root);
  return Math.max(0.1, ...stages.flatMap(({ metric }) => [valueOf(live, metric), compared[metric] ?? 0].filter(Number.isFinite).map(wideness)));
}

/** A stage's bar: its width is the logarithm of its number, or from 400,000 to 108 the last would vanish. */
function paintBar(view, node, { card, x, y, w, h, left, right, goal, narrow, above, silent }) {
  const { parts } = node, shown = { ...card, span: null }, said = says(view.live, shown, view.kept.pinned);
  const most = view.widest, room = w - left - right;
  const wide = (value) => Math.max(2, (room * wideness(value)) / most), mid = left + room / 2, top = narrow ? 20 : 3, high = h - top - 3;
  set(node, { class: ["bar", goal ? "goal" : "", said.status === "gap" ? "has-gap" : "", view.lit.has(card.id) ? "lit" : ""].join(" ").trim(), transform: `translate(${x} ${y})` });
  node.style.color = card.colour;
  const now = valueOf(view.live, card.id), ghost = (view.kept.pinned ?? view.live.baseline)[card.id] ?? now;
  set(parts.stage, { x: mid - wide(now) / 2, y: top, width: wide(now), height: high, display: goal ? "none" : null });
  set(parts.ghost, { x: mid - wide(ghost) / 2, y: top, width: wide(ghost), height: high, display: goal || said.was == null && ghost === now ? "none" : null });
  const over = above && wide((valueOf(view.live, above.id))) / 2, under = wide(now) / 2, start = above ? above.y + above.h - 3 - y : 0;
  const joint = `M${mid - over} ${start} L${mid - under} ${top} H${mid + under} L${mid + over} ${start} Z`;
  set(parts.joint, above && !goal ? { d: joint, display: null } : { display: "none" });
  const px = goal ? 14 : 13;
  for (const name of ["label", "more", "value"]) parts[name].style.display = silent ? "none" : "";
  nameBeside(view, parts, card.name, { x: 0, y: narrow ? 14 : goal ? 24 : h / 2 + 5, px, room: narrow ? w * 0.55 : left - 12, two: !narrow && !goal });
  const aside = said.pinned ?? (ghost !== now ? sayDifference(now - ghost, card.unit, card.kind, view.live.language) : "");
  if (!goal) {
    const text = aside ? `${said.now} (${said.pinned != null ? "◇ " : ""}${aside})` : said.now;
    write(set(parts.value, { x: narrow ? w : w - right + 8, y: narrow ? 14 : h / 2 + 5, "font-size": fitted(view, text, 14, narrow ? w * 0.44 : right - 8), "text-anchor": narrow ? "end" : "start" }), text);
    for (const name of ["gap", "mark", "track", "required"]) set(parts[name], { display: "none" });
    return;
  }
  write(set(parts.value, { x: narrow ? 0 : left, y: narrow ? 40 : 26, "font-size": 26, "text-anchor": "start" }), said.now);
  const after = (narrow ? 0 : left) + measure(view.font, said.now, 26, 650) + 14, line = narrow ? 38 : 25;
  set(parts.mark, { d: said.pinned != null ? SHAPES.pin : said.status === "gap" ? SHAPES.down : SHAPES.tick, class: said.pinned != null ? "mark pinned" : "mark", transform: `translate(${after} ${line - 10})`, display: said.status === "plain" ? "none" : null });
  write(set(parts.gap, { class: said.pinned != null ? "gap pinned" : "gap", x: after + 16, y: line, "font-size": 15, display: null }), said.pinned ?? said.gap ?? "");
  write(set(parts.required, { x: w, y: 56, "font-size": 13, display: said.required == null ? "none" : null }), said.required ?? "");
  paintTrack(view, parts, shown, said, { left: narrow ? 0 : left, right: w - (said.required == null ? 0 : measure(view.font, said.required, 13) + 10), y: 51 });
}

const fitted = (view, text, px, room) => Math.min(px, Math.max(10, Math.floor(room / measure(view.font, text, 1, 650))));

function newRow() {
  const node = shape("g"), parts = (node.parts = {}), add = adder(node, parts);
  add("title", "title");
  add("label", "text");
  add("more", "text");
  add("value", "text");
  add("required", "text");
  addTrack(node, parts, add);
  return node;
}

/** A lever on its joint: its name, its way, what it is and what it alone would have to be. */
function paintRow(view, node, { card, x, y, w, h, track, narrow }) {
  const { parts } = node, said = says(view.live, card, view.kept.pinned);
  set(node, { class: ["row", said.status === "gap" ? "has-gap" : "", view.lit.has(card.id) ? "lit" : ""].join(" ").trim(), transform: `translate(${x} ${y})` });
  node.style.color = card.colour;
  const size = 14, value = narrow ? w : track[1] + 16;
  write(set(parts.value, { x: value, y: narrow ? 16 : h / 2 + 5, "font-size": size, "text-anchor": narrow ? "end" : "start" }), said.now);
  const after = measure(view.font, said.now, size, 650) + 8, need = said.required == null ? "" : `→ ${said.required}`;
  const wide = measure(view.font, need, 11.5), fits = !narrow && wide <= w - value - after, room = narrow ? w - after - wide - 10 : track[0] - 28;
  nameBeside(view, parts, card.name, { x: narrow ? 0 : 10, y: narrow ? 16 : h / 2 + 4.5, px: 12.5, room, two: !narrow });
  write(set(parts.required, { x: narrow ? w - after : value + after, y: narrow ? 15.5 : h / 2 + 4.5, "text-anchor": narrow ? "end" : "start", display: fits || narrow ? null : "none" }), need);
  const middle = narrow ? 33 : h / 2;
  paintTrack(view, parts, card, said, { left: track[0], right: track[1], y: middle, above: middle, below: h - middle });
}
