/* The browser's reading of formulas: runs the program that `kpi_core.program` wrote, and calculates back.
 * Data in, numbers out; nothing of it is ever code. Pure functions, no view, no page.
 *
 *   evaluateAll    every metric from the inputs                     as `kpi_core.tree.evaluate`
 *   evaluateFrom   the same after a change, only what depends on it
 *   requiredAlone  what one metric alone must be for the goal       as `kpi_core.goal.required`
 *
 * A metric is its place in program.metrics, which is also the order of evaluation. What has no value is NaN or infinite.
 */

/** What operators do, as NumPy does it. One of two operands given more of them folds: sum(a, b, c) = (a + b) + c. */
const OPERATIONS = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
  neg: (a) => -a,
  sum: (a, b) => a + b,
  min: (a, b) => (a < b || a !== a ? a : b), // NaN stays, as in NumPy
  max: (a, b) => (a > b || a !== a ? a : b),
  if: (condition, then, otherwise) => (condition !== 0 ? then : otherwise),
  "<": (a, b) => +(a < b),
  ">": (a, b) => +(a > b),
  "<=": (a, b) => +(a <= b),
  ">=": (a, b) => +(a >= b),
  "=": (a, b) => +(a === b),
  "<>": (a, b) => +(a !== b),
};

/* How a result follows one metric, from how its operands do: a line is solved at once, anything else is searched.
 * FINITE has a value wherever its divisors are not 0; a RATIO of lines also only rises or only falls between their zeros.
 */
const [STEADY, LINE, RATIO, FINITE, WILD] = [0, 1, 2, 3, 4];
const joinedCourse = (a, b) => (a && b && a + b > 2 * LINE ? Math.max(a, b, FINITE) : Math.max(a, b));
const wildCourse = (a, b, c = STEADY) => (a || b || c ? WILD : STEADY);
const COURSES = {
  "+": joinedCourse,
  "-": joinedCourse,
  "*": (a, b) => (a && b ? Math.max(a, b, FINITE) : Math.max(a, b)),
  "/": (a, b) => (b === STEADY ? a : b >= FINITE || a === WILD ? WILD : a <= (b === LINE ? LINE : STEADY) ? RATIO : FINITE),
  neg: (a) => a,
  sum: joinedCourse,
  ...Object.fromEntries(["^", "min", "max", "if", "<", ">", "<=", ">=", "=", "<>"].map((op) => [op, wildCourse])),
};

const MOST_NUMBER = 1e15; // kpi_core.document.MAX_NUMBER
const [SAME, CLOSE, WALK_STEPS, HALVINGS] = [1e-12, 1e-9, 64, 200]; // kpi_core.goal
const JUMPS = new Set(["if", "<", ">", "<=", ">=", "=", "<>"]); // kpi_core.goal

/** Return the program made ready to run; `shares` says for each metric whether it must stay within 0..1. */
function newModel(program, shares = []) {
  const codes = program.steps.map((steps) => steps && readySteps(steps, OPERATIONS));
  const dependents = codes.map(() => []);
  codes.forEach((code, at) => {
    const sources = new Set((code ?? []).filter((step) => step.metric >= 0).map((step) => step.metric));
    for (const source of sources) dependents[source].push(at);
  });
  const model = { metrics: program.metrics, codes, dependents: [], shares: Array.from(codes, (_, at) => Boolean(shares[at])), courses: [] };
  for (let at = codes.length - 1; at >= 0; at -= 1) { // users come later, so theirs are known
    const found = new Set(dependents[at].flatMap((user) => [user, ...model.dependents[user]]));
    model.dependents[at] = [...found].sort((a, b) => a - b);
  }
  model.courseCodes = program.steps.map((steps) => steps && readySteps(steps, COURSES));
  model.divisors = codes.map((code) => divisorsOf(code ?? []));
  model.jumps = codes.some((code) => (code ?? []).some((step) => JUMPS.has(step.op)));
  model.spare = new Float64Array(codes.length);
  model.operands = new Float64Array(Math.max(1, ...codes.map((code) => code?.length ?? 0)));
  return model;
}

/** Return steps that know what their operator does in one of the tables; a number follows no metric. */
function readySteps(steps, table) {
  return steps.map(([op, said]) => {
    if (op === "name") return { op, metric: said, number: 0, arity: 0, takes: 0, apply: null };
    if (op === "number") return { op, metric: -1, number: table === OPERATIONS ? said : STEADY, arity: 0, takes: 0, apply: null };
    if (!Object.hasOwn(table, op)) throw new Error(`no operator ${op}`);
    return { op, metric: -1, number: 0, arity: said, takes: OPERATIONS[op].length, apply: table[op] };
  });
}

/** Return from which step to which each divisor of a formula is worked out. */
function divisorsOf(code) {
  const starts = [], found = [];
  code.forEach((step, at) => {
    const parts = starts.splice(starts.length - step.arity, step.arity);
    if (step.op === "/") found.push([parts[1], at]);
    starts.push(parts[0] ?? at);
  });
  return found;
}

/** Run steps on the stack `operands`; the result is a metric's value or that of a part of its formula. */
function runSteps(code, values, operands, from = 0, to = code.length) {
  let top = 0;
  for (let at = from; at < to; at += 1) {
    const step = code[at];
    if (step.metric >= 0) operands[top] = values[step.metric];
    else if (step.apply === null) operands[top] = step.number;
    else {
      const { apply, takes, arity } = step, end = top;
      top -= arity;
      if (takes === 2) {
        let result = operands[top];
        for (let next = top + 1; next < end; next += 1) result = apply(result, operands[next]);
        operands[top] = result;
      } else operands[top] = takes === 1 ? apply(operands[top]) : apply(operands[top], operands[top + 1], operands[top + 2]);
    }
    top += 1;
  }
  return operands[0];
}

/** Return every metric's value. `inputs`: the inputs' values by place; a computed metric in a Map is taken as it is. */
function evaluateAll(model, inputs) {
  const values = new Float64Array(model.codes.length), given = inputs instanceof Map ? inputs : null;
  model.codes.forEach((code, at) => {
    if (given?.has(at)) values[at] = given.get(at);
    else values[at] = code ? runSteps(code, values, model.operands) : given ? NaN : inputs[at] ?? NaN;
  });
  return values;
}

/** Return the values after `changed` (place -> value) replaced some: only what depends on them is worked out again.
 *  A computed metric may be replaced; its formula is then set aside, in this call only: name it again in the next.
 *  The result is a new array, or `scratch`.
 */
function evaluateFrom(model, values, changed, scratch = new Float64Array(values.length)) {
  if (scratch !== values) scratch.set(values);
  for (const [at, x] of changed) scratch[at] = x;
  for (const at of dependentsOf(model, [...changed.keys()], changed)) scratch[at] = runSteps(model.codes[at], scratch, model.operands);
  return scratch;
}

/** Return what depends on these metrics, in order of evaluation, without what is `held`. */
function dependentsOf(model, places, held) {
  const found = places.length === 1 ? model.dependents[places[0]]
    : [...new Set(places.flatMap((at) => model.dependents[at]))].sort((a, b) => a - b);
  return held.size ? found.filter((at) => !held.has(at)) : found;
}

/** Return { value, limit }: what the metric alone must be for the root to reach the target, and what is to be said of it.
 *
 *   already    it is reached as it is: `value` is now             natural    no possible value does it: `value` is null
 *   plausible  the value lies beyond `low` or `high`              no_effect  the root does not follow it: `value` is null
 *   frozen     low and high are the value it has                  null       nothing; without a `value`: no numbers now
 *
 * `low` and `high` may be null. `held`: computed metrics (a Set or Map of places) that are set aside in `values`.
 * `now` is the metric's own number in `values`. A metric beside the root counts as well where it has no value.
 */
function requiredAlone(model, values, metric, asked) {
  const { root, target, low = null, high = null, share = model.shares[metric], now = values[metric], held = new Map() } = asked;
  const dependents = dependentsOf(model, [metric], held), trial = model.spare, kgi = values[root];
  const search = { model, values, metric, root, target, low, high, share, now, kgi, dependents, trial, least: 0, most: share ? 1 : MOST_NUMBER };
  trial.set(values);
  if (!Number.isFinite(target) || !Number.isFinite(kgi) || !isPossible(search)) return { value: null, limit: null };
  if (kgi >= target - SAME * Math.abs(target)) return { value: now, limit: "already" };
  if (metric !== root && !dependents.includes(root)) return { value: null, limit: "no_effect" };
  if (Math.min(now, low ?? 0) < 0) search.least = -MOST_NUMBER;
  const { value, moved } = onTheLine(search) ?? onTheWay(search);
  if (!moved) return { value: null, limit: "no_effect" };
  if (low !== null && low === high && low === now) return { value, limit: "frozen" };
  return { value, limit: value === null ? "natural" : isPlausible(search, value) ? null : "plausible" };
}

function isPlausible({ low, high }, x) {
  const slack = CLOSE * Math.abs(x);
  return (low === null || x >= low - slack) && (high === null || x <= high + slack);
}

/** Whether all that is worked out on the trial has a value, and no share is below 0 or above 1. */
function isPossible({ model, metric, share, dependents, trial }) {
  if (!isNumber(trial[metric], share)) return false;
  for (let n = 0; n < dependents.length; n += 1) {
    if (!isNumber(trial[dependents[n]], model.shares[dependents[n]])) return false;
  }
  return true;
}

const isNumber = (x, share) => (share ? x >= 0 && x <= 1 + SAME : x - x === 0);

/** Try a value of the metric and return the root's, possible or not. */
function rootAt({ model, metric, root, dependents, trial }, x) {
  trial[metric] = x;
  for (let n = 0; n < dependents.length; n += 1) trial[dependents[n]] = runSteps(model.codes[dependents[n]], trial, model.operands);
  return trial[root];
}

/** Try a value of the metric and return the root's, or NaN where the tree has none. */
function kgiAt(search, x) {
  const kgi = rootAt(search, x);
  return isPossible(search) ? kgi : NaN;
}

// ---- at once: the root is a line ---------------------------------------------------------------------------------

/** Return how every metric follows one of them. */
function coursesOf(model, metric) {
  if (model.courses[metric]) return model.courses[metric];
  const courses = new Uint8Array(model.codes.length);
  courses[metric] = LINE;
  for (const at of model.dependents[metric]) courses[at] = runSteps(model.courseCodes[at], courses, model.operands);
  model.courses[metric] = courses;
  return courses;
}

/** Return where the line reaches the goal, or null if it is not certain that the walk would say the same. */
function onTheLine(search) {
  const { model, metric, root, target, now, least, most, kgi, dependents } = search;
  const courses = coursesOf(model, metric), gap = target - kgi, same = SAME * Math.abs(target);
  if (courses[root] !== LINE || gap <= 1_000 * same || now < least || now > most) return null;
  for (const at of dependents) if (courses[at] > (model.shares[at] ? RATIO : FINITE)) return null;
  const far = now < (least + most) / 2 ? most : least; // from afar the slope has all its digits
  const slope = (rootAt(search, far) - kgi) / (far - now);
  if (!slope || !Number.isFinite(slope)) return null;
  const wanted = now + gap / slope, value = Math.min(most, Math.max(least, wanted)), reached = kgiAt(search, value);
  if (meetsZeroDivisor(search)) return null;
  const before = now + (value - now) * (1 - SAME - (4 * same) / gap), reaches = reached >= target - same;
  const never = !reaches && (Number.isNaN(reached) ? Number.isNaN(kgiAt(search, before)) : value !== wanted);
  const moves = [1, -1].some((sign) => isMoved(search, kgiAt(search, now + sign * firstStep(search, sign))));
  return moves && (reaches || never) ? { value: reaches ? value : null, moved: true } : null;
}

/** Whether a divisor is 0 now, on the trial, or may be between the two. */
function meetsZeroDivisor({ model, values, dependents, trial }) {
  return dependents.some((at) => model.divisors[at].some(([from, to]) => {
    const before = runSteps(model.codes[at], values, model.operands, from, to);
    return !(Math.sign(before) * Math.sign(runSteps(model.codes[at], trial, model.operands, from, to)) > 0);
  }));
}

const isMoved = ({ kgi }, reached) => Math.abs(reached - kgi) > SAME * Math.abs(kgi);

// ---- on the way: any tree, as `kpi_core.goal` walks and then closes in ----------------------------------------------

/** Return the first value that reaches the goal, up or down; a plausible one, then the nearest. */
function onTheWay(search) {
  const { target, now } = search, enough = target - SAME * Math.abs(target), found = [];
  let moved = false;
  for (const sign of [1, -1]) {
    const points = pointsOfWay(search, sign);
    let open = true;
    for (let n = 1; n < points.length && !(moved && !open); n += 1) {
      const reached = kgiAt(search, points[n]), ends = Number.isNaN(reached);
      if (open && (ends || reached >= enough)) {
        found.push(closeIn(search, points[n - 1], points[n]));
        open = false;
      }
      if (ends) break;
      moved ||= isMoved(search, reached);
    }
  }
  const values = found.filter((value) => value !== null);
  const order = (value) => [isPlausible(search, value) ? 0 : 1, Math.abs(value - now)];
  const better = (a, b) => order(b)[0] - order(a)[0] || order(b)[1] - order(a)[1];
  return { value: values.length ? values.reduce((a, b) => (better(a, b) < 0 ? b : a)) : null, moved };
}

/** Return how far the plausible range and the possible one go from now, up (1) or down (-1). */
function reachOf({ low, high, now, least, most }, sign) {
  const end = (sign > 0 ? high : low) ?? now, bound = sign > 0 ? most : least, open = sign * (end - now) > 0;
  return { end, bound, near: open ? Math.abs(end - now) : 0, far: Math.abs(bound - now) };
}

function firstStep(search, sign) {
  const { near, far } = reachOf(search, sign);
  return near ? near / WALK_STEPS : Math.min(far, Math.max(Math.abs(search.now) / WALK_STEPS, 1 / MOST_NUMBER));
}

/** Return the points to try: evenly as far as plausible, then ever faster. */
function pointsOfWay(search, sign) {
  const { now } = search, { end, bound, near, far } = reachOf(search, sign), steps = [0];
  const add = (step) => { if (step > steps.at(-1)) steps.push(step); };
  for (let n = 1; n <= WALK_STEPS && near; n += 1) add(n === WALK_STEPS ? near : n * (near / WALK_STEPS));
  const first = near || firstStep(search, sign), [from, to] = [Math.log10(first), Math.log10(far)];
  if (far) add(first);
  for (let n = 1; n < WALK_STEPS && far; n += 1) add(n === WALK_STEPS - 1 ? far : 10 ** (from + n * ((to - from) / (WALK_STEPS - 1))));
  return steps.map((step) => (step && step === near ? end : step === far ? bound : now + sign * step));
}

/** Return where the goal is reached between a value that is too little and one that is enough or impossible. */
function closeIn(search, below, above) {
  const { target } = search, size = Math.abs(target);
  const spare = (x, goal = target) => { const kgi = kgiAt(search, x); return Number.isNaN(kgi) ? -MOST_NUMBER : kgi - goal; };
  if (Number.isNaN(kgiAt(search, above))) [above] = narrow((x) => !Number.isNaN(kgiAt(search, x)), below, above);
  const over = spare(above);
  if (over <= 0) return over >= -SAME * size ? above : null;
  const root = brent(spare, below, above);
  if (Math.abs(spare(root)) <= CLOSE * size) return root;
  if (!search.model.jumps) return null; // what looks like a jump is the rounding of numbers too large for the others
  const [before, behind] = narrow((x) => spare(x) < 0, below, above);
  // a jump (`if`) stays between the values on either side; a pole (1/0) does not, and leads nowhere
  const usual = Math.max(Math.abs(spare(below, 0)), Math.abs(spare(above, 0))) + size;
  return Math.abs(spare(before, 0)) <= usual * 1_000 ? behind : null;
}

/** Return the last number that holds and the first that does not. */
function narrow(holds, good, bad) {
  for (let turn = 0, middle = (good + bad) / 2; turn < HALVINGS && middle !== good && middle !== bad; turn += 1, middle = (good + bad) / 2) {
    if (holds(middle)) good = middle; else bad = middle;
  }
  return [good, bad];
}

/** Brent's root finder as in SciPy (`brentq`, rtol 1e-15): step by step the same numbers. */
function brent(f, previous, current) {
  let fPrevious = f(previous), fCurrent = f(current), other = 0, fOther = 0, step = 0, stepBefore = 0;
  for (let turn = 0; turn < 1_000 && fCurrent !== 0; turn += 1) {
    if (fPrevious !== 0 && fPrevious < 0 !== fCurrent < 0) {
      [other, fOther] = [previous, fPrevious];
      step = stepBefore = current - previous;
    }
    if (Math.abs(fOther) < Math.abs(fCurrent)) {
      [previous, current, other] = [current, other, current];
      [fPrevious, fCurrent, fOther] = [fCurrent, fOther, fCurrent];
    }
    const least = (1e-300 + 1e-15 * Math.abs(current)) / 2, half = (other - current) / 2;
    if (fCurrent === 0 || Math.abs(half) < least) return current;
    let next = half, kept = half;
    if (Math.abs(stepBefore) > least && Math.abs(fCurrent) < Math.abs(fPrevious)) {
      const slope = (fPrevious - fCurrent) / (previous - current), far = (fOther - fCurrent) / (other - current);
      const tried = previous === other ? (-fCurrent * (current - previous)) / (fCurrent - fPrevious)
        : (-fCurrent * (fOther * far - fPrevious * slope)) / (far * slope * (fOther - fPrevious));
      if (2 * Math.abs(tried) < Math.min(Math.abs(stepBefore), 3 * Math.abs(half) - least)) [next, kept] = [tried, step];
    }
    [stepBefore, step] = [kept, next];
    [previous, fPrevious] = [current, fCurrent];
    current += Math.abs(step) > least ? step : half > 0 ? least : -least;
    fCurrent = f(current);
  }
  return current;
}
