/* The numbers of the board, and what they say on cards: pure functions of a `live` state.
 * Everything is known here, so the picture follows a finger without asking the server.
 *
 *   base      every metric's value as the plan has it          changed   levers that are being moved
 *   values    base with what was changed, carried through      ghost     what the numbers are compared with
 */

/** Return the numbers Python told, ready to be moved. */
function newLive({ model, cards, root, language, words }) {
  const byId = new Map(cards.map((card) => [card.id, card]));
  const index = new Map(model.program.metrics.map((id, at) => [id, at]));
  const engine = newModel(model.program, model.program.metrics.map((id) => byId.get(id)?.share ?? false));
  const base = evaluateAll(engine, new Map(Object.entries(model.inputs).map(([id, x]) => [index.get(id), x])));
  return { engine, index, base, values: base, changed: new Map(), baseline: model.baseline, target: model.target, root, language, words };
}

/** Move levers (id -> value) on top of what was moved already. */
function move(live, changes) {
  for (const [id, x] of Object.entries(changes)) live.changed.set(id, x);
  live.values = evaluateFrom(live.engine, live.base, new Map([...live.changed].map(([id, x]) => [live.index.get(id), x])));
}

const valueOf = (live, id) => live.values[live.index.get(id)];
const say = (live, card, x) => sayValue(x, card.unit, card.kind, live.language);
const fill = (sentence, facts) => sentence.replace(/\{(\w+)\}/g, (blank, name) => facts[name] ?? blank);
const clip = (x, low = 0, high = 1) => Math.min(high, Math.max(low, x));

/** Return what a card shows: finished texts, and places on its bar, from 0 at its start to 1 at its end (null: not drawn). */
function says(live, card, pinned) {
  const at = live.index.get(card.id), x = live.values[at], { words } = live;
  const needed = card.inside ? requiredAlone(live.engine, live.values, at, {
    root: live.index.get(live.root), target: live.target, low: card.low, high: card.high, share: card.share, now: x }) : null;
  const now = say(live, card, x), reached = needed?.limit === "already", need = needed?.value == null ? null : shownNeed(card.kind, needed.value);
  const required = !needed || reached || !Number.isFinite(x) ? null
    : need == null ? words.cannot_alone : needed.limit ? fill(words.over_limit, { value: say(live, card, need) }) : say(live, card, need);
  const ghost = (pinned ?? live.baseline)[card.id];
  const held = pinned?.[card.id] == null ? null : say(live, card, pinned[card.id]);
  const on = placing(card.span ?? (needed?.value == null ? null : rangeOf([0, x, needed.value, ghost])));
  return {
    now, required,
    status: !needed || !Number.isFinite(x) ? "plain" : reached ? "reached" : "gap",
    gap: required && needed.value != null ? sayDifference(x - need, card.unit, card.kind, live.language) : null,
    zero: card.span ? 0 : on(0), here: on(x), there: reached ? null : on(needed?.value),
    was: ghost != null && Math.abs(ghost - x) > 1e-9 * Math.abs(ghost) ? on(ghost) : null,
    pinned: held === now ? null : held, // what is the same needs no second number
  };
}

/** From the least to the largest of some values, those left out that are none. */
function rangeOf(values) {
  const known = values.filter((x) => x != null && Number.isFinite(x));
  return [Math.min(...known), Math.max(...known)];
}

/** Return value -> place on a straight scale between two ends; a lever's value may lie beyond its ends. */
function placing(ends) {
  const [low, high] = ends ?? [0, 0];
  return (value) => (value == null || !Number.isFinite(value) || !(high > low) ? null : (value - low) / (high - low));
}

/** What a screen reader says of a card, and the few lines shown when a pointer rests on it. */
function spoken(live, card, said) {
  const { words } = live, facts = { name: card.name, now: said.now, required: said.required, team: card.team_name };
  const told = fill(said.required == null ? words.spoken : words.spoken_needed, facts);
  return card.chance && said.required != null && !live.changed.size ? `${told}. ${card.chance_text}` : told;
}

function details(live, card) {
  const chance = card.chance && !live.changed.size ? card.chance_text : "";
  return [card.name, card.formula, card.team_name, chance, closing(live, card)].filter(Boolean).join("\n");
}

/** How much of the goal's gap a lever closes at the better end of its own plausible range. */
function closing(live, card) {
  if (!card.span || !card.inside) return "";
  const root = live.index.get(live.root), now = live.values[root], at = live.index.get(card.id);
  if (!(now < live.target)) return "";
  const best = Math.max(...card.span.map((end) => evaluateFrom(live.engine, live.values, new Map([[at, end]]))[root]).filter(Number.isFinite), now);
  return fill(live.words.closes, { share: sayValue(clip((best - now) / (live.target - now)), "%", "rate", live.language) });
}

/** A lever moved by a share of its range, on its own grid of steps. */
function along(card, from, share) {
  const [low, high] = card.span;
  return onGrid(card, from + share * (high - low));
}

function onGrid(card, x) {
  const [low, high] = card.span, snapped = card.step > 0 ? Math.round(x / card.step) * card.step : x;
  return Number(clip(snapped, low, high).toPrecision(12));
}

/** Everything that is computed from what was changed, up to the goal: what to light up. */
function touched(ids, children) {
  const lit = new Set(ids), users = new Map();
  for (const [user, parts] of Object.entries(children)) for (const part of parts) users.set(part, [...(users.get(part) ?? []), user]);
  for (const id of lit) for (const user of users.get(id) ?? []) lit.add(user);
  return lit;
}
