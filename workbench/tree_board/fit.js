/* What the board needs to know about shapes and type: pure functions, no view, no page.
 * The parts of the board are joined when the component is registered: see __init__.py.
 */
const NO_LINE_START = /^[、。，．・：；？！）」』】〕〉》ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.)\]:;!?%％]/;

/** Return y -> new y: no two neighbouring rows further apart than one card, the order unchanged. */
function squeeze(ys, pitch) {
  const old = [...new Set(ys)].sort((a, b) => a - b), fresh = [0];
  old.slice(1).forEach((y, n) => fresh.push(fresh[n] + Math.min(pitch, y - old[n])));
  return (y) => {
    const n = old.findLastIndex((row) => row <= y);
    return n < 0 ? y - old[0] : Math.min(fresh[n] + y - old[n], fresh[n + 1] ?? Infinity);
  };
}

/** A path of right angles with rounded corners: across to each bend, up or down to each lane, and on. */
function elbows(x, y, bends, endY, endX, vertical = false) {
  const stops = [[x, y]];
  for (let n = 0; n < bends.length; n += 2) {
    const next = n + 1 < bends.length ? bends[n + 1] : endY;
    if (!vertical) stops.push([bends[n], stops.at(-1)[1]]);
    stops.push([bends[n], next]);
  }
  stops.push([endX, endY]);
  return stops.reduce((d, [px, py], n) => {
    if (n === 0) return `M${px} ${py}`;
    const after = stops[n + 1], before = stops[n - 1];
    if (!after) return `${d} L${px} ${py}`;
    const r = Math.min(8, Math.hypot(px - before[0], py - before[1]) / 2, Math.hypot(after[0] - px, after[1] - py) / 2);
    const near = (to) => [px + Math.sign(to[0] - px) * r, py + Math.sign(to[1] - py) * r].join(" ");
    return `${d} L${near(before)} Q${px} ${py} ${near(after)}`;
  }, "");
}

const RULER = document.createElement("canvas").getContext("2d"), RULED = 100; // px: widths grow with the size of type
const widths = new Map();

function measure(family, text, px, weight = 500) {
  const known = `${weight} ${text}`;
  if (widths.family !== family || widths.size > 20_000) { widths.clear(); widths.family = family; }
  if (!widths.has(known)) { RULER.font = `${weight} ${RULED}px ${family}`; widths.set(known, RULER.measureText(text).width * 1.02); }
  return (widths.get(known) * px) / RULED;
}

/** Break text into at most `most` lines: Latin between words, Japanese between characters; the last may end in an ellipsis.
 *  The first line leaves `notch` px free. */
function wrap(family, text, { room, px, most, notch = 0 }) {
  const lines = [""], fits = (line, n = lines.length - 1) => measure(family, line.trim(), px) <= room - (n ? 0 : notch);
  const pieces = (text.match(/[!-\u024f\u2010-\u2027\u2190-\u21ff]+|\s+|./gsu) ?? []).flatMap((piece) => piece.split(/(?<=[→/-])/));
  const add = (piece) => {
    const line = lines.at(-1), last = [...line].at(-1) ?? "";
    if (fits(line + piece)) lines[lines.length - 1] += piece;
    else if (NO_LINE_START.test(piece) && line.length > 1) lines.splice(-1, 1, line.slice(0, -last.length), last + piece);
    else if (fits(piece, 1)) lines.push(piece);
    else if (piece.length > 1) [...piece].forEach(add);
  };
  pieces.forEach(add);
  const trimmed = lines.map((line) => line.trim()).filter(Boolean);
  if (trimmed.length <= most && trimmed.every(fits)) return trimmed;
  const tail = [...lines.slice(lines.findIndex((line) => line.trim() === trimmed[most - 1])).join("")];
  while (tail.length && !fits(tail.join("").trimEnd() + "…", most - 1)) tail.pop();
  return [...trimmed.slice(0, most - 1), tail.join("").trimEnd() + "…"];
}

/** A value where there is no room for its unit: 462,963 people -> 462,963, 926万円/件(上限超) -> 926万円(上限超). */
function withoutUnit(text) {
  return text.replace(/ [a-z][a-z -]*(?= \(|$)/i, "").replace(/\/[^(]+/, "");
}

/** Split a value for two sizes of type: digits large; the unit and Japanese 億, 万 small. */
function parted(now, unit) {
  const end = unit && now.endsWith(unit) ? now.length - unit.length : now.length, kana = now.search(/[\u3000-\u9fff]/);
  const cut = kana > 0 ? Math.min(kana, end) : end;
  return [now.slice(0, cut), now.slice(cut)];
}
