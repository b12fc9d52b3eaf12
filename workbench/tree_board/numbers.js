/* Numbers as people write them, in Japanese and English: `workbench/formats.py` once more, string for string.
 *
 * Rounding is half up on the digits a number prints with, so that 0.285 is 0.29 as on paper; 0.285 × 100 + 0.5 would not do.
 * A `decimal` is { digits, point }: 0.0285 is { digits: "285", point: -1 }, zero has no digits. A rounded number is a
 * string like "1234.50" that already has all its decimals.
 */
const MINUS_SIGN = "−";
const NO_NUMBER = "–";
const COUNTED_UNITS = new Set(["件", "人", "社", "回", "通", "PV"]);

/** What a unit is called after one and after many, and after a slash. */
const UNIT_WORDS = {
  円: ["¥", "¥"],
  人: ["person", "people"],
  社: ["account", "accounts"],
  回: ["time", "times"],
  通: ["mail", "mails"],
  日: ["day", "days"],
  人日: ["person-day", "person-days"],
  年: ["year", "years"],
  時間: ["hour", "hours"],
  か月: ["month", "months"],
  分: ["minute", "minutes"],
  点: ["point", "points"],
  倍: ["×", "×"],
  比: ["", ""],
  件: ["", ""],
};
const PER_WORDS = {
  件: "each",
  社: "per account",
  人: "per person",
  人日: "per person-day",
  回: "per event",
  日: "per day",
  年: "per year",
  か月: "per month",
  時間: "per hour",
};

/** A metric's value by its unit: rate, money or count. `roundUp` takes whole things that are counted up to the next. */
function sayValue(x, unit, kind, language, roundUp = false) {
  if (!Number.isFinite(x)) return NO_NUMBER;
  if (unit === "%") return sayPercent(x);
  if (isMoneyUnit(unit)) return sayMoney(x, language) + perMoney(unit, language);
  const counted = COUNTED_UNITS.has(unit) || ((kind === "count" || kind === "activity") && !unit.includes("/"));
  const number = counted && roundUp ? roundedUp(x) : shortNumber(decimalOf(x), counted ? 1 : 2);
  return signOf(x, number) + withUnit(grouped(number), unit, language);
}

/** A change with its sign: rates in points, the rest in its own unit; what is shown as 0 has none. */
function sayDifference(dx, unit, kind, language) {
  if (!Number.isFinite(dx)) return NO_NUMBER;
  if (unit === "%") return sayPoints(dx);
  const shown = sayValue(Math.abs(dx), unit, kind, language);
  if (shown === sayValue(0, unit, kind, language)) return shown;
  return (dx < 0 ? MINUS_SIGN : "+") + shown;
}

/** A need as it is shown: nobody can win half a deal, so counts go up to the next whole one. */
function shownNeed(kind, value) {
  return (kind === "count" || kind === "activity") && value >= 10 ? Math.ceil(value - 1e-9) : value;
}

/** An amount in yen, short: 8.64億円, ¥864.0M. */
function sayMoney(x, language) {
  if (!Number.isFinite(x)) return NO_NUMBER;
  const amount = decimalOf(x), text = language === "en" ? moneyEnglish(amount) : moneyJapanese(amount);
  return x >= 0 || text === "0円" || text === "¥0" ? text : (language === "en" ? "-" : MINUS_SIGN) + text;
}

function moneyJapanese(amount) {
  if (wholeDigits(amount, 0, -4) > 4) return `${grouped(withoutZeros(roundedTo(amount, 2, -8)))}億円`; // 9,999.5万円 is 1億円
  return wholeDigits(amount, 0) > 4 ? `${grouped(roundedTo(amount, 0, -4))}万円` : `${grouped(roundedTo(amount, 0))}円`;
}

function moneyEnglish(amount) {
  if (wholeDigits(amount, 1, -6) > 3) return `¥${grouped(roundedTo(amount, 2, -9))}B`; // ¥1.00B, not ¥1,000.0M
  if (wholeDigits(amount, 0, -3) > 3) return `¥${grouped(roundedTo(amount, 1, -6))}M`;
  return wholeDigits(amount, 0) > 3 ? `¥${grouped(roundedTo(amount, 0, -3))}K` : `¥${grouped(roundedTo(amount, 0))}`;
}

/** A rate: one decimal from 10 %, two from 0.1 %, three below. */
function sayPercent(x) {
  if (!Number.isFinite(x)) return NO_NUMBER;
  const share = decimalOf(x), fine = wholeDigits(share, 3, 2), isNothing = !share.digits || fine < -2;
  const number = roundedTo(share, isNothing || wholeDigits(share, 2, 2) > 1 ? 1 : fine >= 0 ? 2 : 3, 2);
  return `${signOf(x, number)}${grouped(number)}%`;
}

/** A difference of two rates in points with its sign: at least one decimal, as many more as it takes. */
function sayPoints(dx) {
  if (!Number.isFinite(dx)) return NO_NUMBER;
  const share = decimalOf(dx), size = share.point + 2; // digits before the point
  const exact = roundedTo(share, size >= 2 ? 1 : size >= 0 ? 2 : 3, 2), short = withoutZeros(exact);
  const number = /\.\d./.test(short) ? short : exact.slice(0, exact.indexOf(".") + 2);
  return `${signOf(dx, number, "+")}${grouped(number)}pt`;
}

/** Whole numbers from 100, one decimal from 10, `places` from 1, two significant digits below. */
function shortNumber(amount, places) {
  if (wholeDigits(amount, 1) > 2) return roundedTo(amount, 0);
  if (amount.point > 0 || !amount.digits) return withoutZeros(roundedTo(amount, wholeDigits(amount, places) > 1 ? 1 : places));
  return withoutZeros(roundedTo(amount, Math.min(2 - amount.point, 9)));
}

// ---- digits --------------------------------------------------------------------------------------------------------

/** Return |x| with the digits it prints with. */
function decimalOf(x) {
  if (x === 0) return { digits: "", point: 0 };
  const text = Math.abs(x).toExponential(), end = text.indexOf("e");
  return { digits: text[0] + text.slice(2, end), point: Number(text.slice(end + 1)) + 1 };
}

/** Return the number × 10^shift rounded half up to so many decimals, all of them written. */
function roundedTo({ digits, point }, places, shift = 0) {
  const kept = point + shift + places;
  let whole = digits && kept > 0 ? digits.slice(0, kept).padEnd(kept, "0") : "";
  if (kept >= 0 && digits.charCodeAt(kept) >= 53) whole = nextWhole(whole); // the first digit left out is 5 or more
  whole = whole.padStart(places + 1, "0");
  return places ? `${whole.slice(0, -places)}.${whole.slice(-places)}` : whole;
}

/** Return how many digits `roundedTo` leaves before the point: 2 for 9.96 to one decimal, 0 for 0.1, -1 for 0.01. */
function wholeDigits({ digits, point }, places, shift = 0) {
  const kept = point + shift + places, carries = digits.charCodeAt(kept) >= 53 && /^9*$/.test(digits.slice(0, kept));
  return point + shift + (carries ? 1 : 0);
}

/** Return digits + 1. */
function nextWhole(digits) {
  let at = digits.length - 1;
  while (at >= 0 && digits[at] === "9") at -= 1;
  const zeros = "0".repeat(digits.length - 1 - at);
  return at < 0 ? `1${zeros}` : digits.slice(0, at) + String(Number(digits[at]) + 1) + zeros;
}

/** Return the next whole number; 5556.000000001 is 5556, the rest is noise of the computation. */
function roundedUp(x) {
  const { digits, point } = decimalOf(x), exponent = point - digits.length, last = Math.min(exponent - 12, -9);
  const size = BigInt(digits || "0"), one = 10n ** BigInt(-last);
  const inOnes = (number, at) => number * 10n ** BigInt(at - last);
  const noise = inOnes(point > 3 ? size : 1n, point > 3 ? exponent - 12 : -9);
  const less = inOnes(x < 0 ? -size : size, exponent) - noise;
  const up = less / one + (less > 0n && less % one ? 1n : 0n); // BigInt division cuts towards 0
  return String(up < 0n ? -up : up);
}

const isZero = (number) => !/[1-9]/.test(number);

function withoutZeros(number) {
  if (!number.includes(".")) return number;
  let end = number.length;
  while (number[end - 1] === "0") end -= 1;
  return number.slice(0, number[end - 1] === "." ? end - 1 : end);
}

/** Set thousands apart. */
function grouped(number) {
  const point = number.indexOf("."), end = point < 0 ? number.length : point;
  let text = number.slice(end);
  for (let at = end; at > 0; at -= 3) text = number.slice(Math.max(0, at - 3), at) + (at < end ? "," : "") + text;
  return text;
}

const signOf = (x, shown, plus = "") => (isZero(shown) ? "" : x < 0 ? MINUS_SIGN : plus);

// ---- units ---------------------------------------------------------------------------------------------------------

const isMoneyUnit = (unit) => unit === "円" || unit.startsWith("円/");

function unitParts(unit) {
  const slash = unit.indexOf("/");
  return slash < 0 ? [unit, ""] : [unit.slice(0, slash), unit.slice(slash + 1)];
}

/** What follows an amount of money: /件, per deal. */
function perMoney(unit, language) {
  const [, per] = unitParts(unit);
  if (!per) return "";
  if (language === "ja") return `/${per}`;
  return per === "件" ? " per deal" : ` ${perWords(per)}`;
}

const perWords = (per) => (Object.hasOwn(PER_WORDS, per) ? PER_WORDS[per] : `per ${per}`);

function withUnit(number, unit, language) {
  if (language === "ja") return number + (unit === "比" ? "" : unit);
  const [head, per] = unitParts(unit), [one, many] = Object.hasOwn(UNIT_WORDS, head) ? UNIT_WORDS[head] : [head, head];
  const words = [number === "1" ? one : many, per ? perWords(per) : ""].filter(Boolean).join(" ");
  return words.startsWith("×") ? number + words : `${number} ${words}`.trim();
}
