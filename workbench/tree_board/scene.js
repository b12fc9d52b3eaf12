/* Where everything stands: pure descriptions of cards, wires, signs and bars, from the view's state and a width.
 *   wall()    the whole tree, left to right          list()    a phone: the way to the chosen card, and what carries it
 *   funnel()  the chain as narrowing bars, the levers on the joints between them
 */
const STRETCH = [0.95, 1.3]; // how far columns follow the window where the picture itself cannot be scaled
const GROW = 1.3; // how far a picture may grow on a large screen, while it still fits its height

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

/** The whole tree, columns stretched to the window; folded branches give their rows back. */
function wall(view, width) {
  const { size, words } = view.data;
  const seen = unfolded(view);
  const shown = inside(view).filter((card) => seen.has(card.id));
  const rise = squeeze(shown.map((card) => card.y), size.row_pitch);
  const depth = 1 + Math.max(...shown.map((card) => card.column)), wide = depth * size.column_pitch - (size.column_pitch - size.card_width);
  const monitors = outside(view), perRow = Math.max(depth, Math.floor(size.width / size.column_pitch)), strips = Math.ceil(monitors.length / perRow);
  const tallest = Math.max(...shown.map((card) => rise(card.y))) + size.card_height + (strips ? 40 + strips * size.row_pitch : 0);
  const grow = Math.max(1, Math.min(GROW, width / wide, (0.62 * window.innerHeight) / tallest));
  const stretch = Math.min(STRETCH[1], Math.max(STRETCH[0], width / wide / grow));
  const w = size.card_width * stretch, h = size.card_height, pitch = size.column_pitch * stretch;
  const at = new Map(shown.map((card) => [card.id, { card, x: card.column * pitch, y: rise(card.y), w, h }]));
  const strip = Math.max(...[...at.values()].map((place) => place.y)) + h + 40;
  monitors.forEach((card, n) => at.set(card.id, { card, x: (n % perRow) * pitch, y: strip + Math.floor(n / perRow) * size.row_pitch, w, h }));

  const hot = new Set(path(view, view.parent.has(view.selected) ? view.selected : null));
  const wires = [], signs = [];
  for (const { card, x, y } of [...at.values()].filter(({ card }) => card.inside && !view.folded.has(card.id))) {
    const links = view.wires.get(card.id) ?? [], bend = x + w + (pitch - w) * 0.46;
    for (const edge of links) {
      const end = at.get(edge.target), turn = edge.main ? bend : bend + 13; // a side link passes beside its neighbours' signs
      const lanes = edge.via.map((via, n) => [rise(via), turn + pitch * (n + 1)]);
      wires.push({ id: `${edge.source}>${edge.target}`, source: edge.source, target: edge.target, side: !edge.main,
        d: elbows(x + w, y + h / 2, [turn, ...lanes.flat()], end.y + h / 2, end.x),
        hot: hot.has(edge.source) && hot.has(edge.target) && edge.main });
    }
    if (links.length) signs.push({ id: card.id, x: bend, y: y + h / 2, text: card.operator, title: card.operator_name, hot: hot.has(card.id) && links.some((edge) => hot.has(edge.target)) });
  }
  const headings = monitors.length ? [{ id: "monitors", x: 0, y: strip - 10, text: words.monitors }] : [];
  const feeds = new Set(monitors.some((card) => card.id === view.selected) ? view.data.children[view.selected] : []);
  const places = [...at.values()].map(tall), top = Math.min(...places.map((place) => place.y));
  const shut = places.some((place) => view.folded.has(place.card.id)) ? 34 : 0; // room for "+12" beside the last column
  return { places, wires, signs, headings, feeds, top, grow, width: Math.max(...places.map((place) => place.x)) + w + shut,
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
    wires.push({ id: `${id}>${way[n + 1]}`, source: id, target: way[n + 1], d: `M24 ${y - 24} V${y}`, hot: true });
    sign(id, y - 12);
  });
  const below = view.data.children[chosen.id] ?? [], top = y - 24;
  if (below.length) {
    sign(chosen.id, top + 15);
    y += 8;
    headings.push({ id: "carries", x: 42, y: top + 19, text: words.carries });
    for (const id of below) {
      wires.push({ id: `${chosen.id}>${id}`, source: chosen.id, target: id, d: elbows(24, top, [24], y + h / 2, 48, true) });
      put(id, 48, 8);
    }
  }
  const others = chosen.id === view.data.root || !chosen.inside ? outside(view).filter((card) => card !== chosen && !below.includes(card.id)) : [];
  if (others.length) { y += 16; heading("monitors", words.monitors); }
  for (const card of others) put(card.id, 0, 8);
  return { places, wires, signs, headings, feeds: new Set(), width, height: Math.max(...places.map((place) => place.y + h)) + 4, hidden: () => 0 };
}

/** The goal stands alone in its column, so its card may be taller: the gap gets a line of its own. */
const tall = (place) => (place.card.role === "kgi" ? { ...place, y: place.y + place.h / 2 - 50, h: 100 } : place);
const hiddenBelow = (view, id, seen) => inside(view).filter((card) => !seen.has(card.id) && path(view, card.id).includes(id)).length;

/** The chain from its first stage to the goal: a bar for each stage, and a row for each lever on the joint before it. */
function funnel(view, width) {
  const narrow = width < 520, left = narrow ? 0 : 160, right = narrow ? 0 : 178, bar = narrow ? 40 : 28, row = narrow ? 48 : view.touch ? FINGER : 30;
  const bars = [], rows = [];
  let y = 0;
  view.data.stages.forEach(({ metric, levers }) => {
    for (const id of levers.filter((lever) => view.cards.get(lever)?.span)) {
      rows.push({ id, card: view.cards.get(id), x: 0, y, w: width, h: row, track: [left + (narrow ? 6 : 8), width - right - (narrow ? 6 : 8)], narrow });
      y += row;
    }
    const card = view.cards.get(metric), goal = metric === view.data.root;
    bars.push({ id: metric, card, x: 0, y: y + (goal ? 6 : 0), w: width, h: goal ? 58 : bar, left, right, goal, narrow,
      above: bars.at(-1), silent: rows.at(-1)?.id === metric }); // a stage that is a lever itself is named by that
    y += goal ? 64 : bar;
  });
  return { bars, rows, width, height: y + 4 };
}
