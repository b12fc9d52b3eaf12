"""Files made to cost much or to break what reads them, by name: each is built when it is asked for, the same always."""

from __future__ import annotations

import gzip
import itertools
import json
import pickle
import random
from collections.abc import Callable
from typing import Any

from workbench import samples

SAMPLE = samples.sample_plan().to_data()
TEXT = samples.sample_plan().to_yaml()
MOST = 4_900_000  # bytes: just under what a file may have


def as_json(**changed: Any) -> bytes:
    """Return the sample plan with sections put in place of its own."""
    return json.dumps({**SAMPLE, **changed}, ensure_ascii=False, separators=(",", ":")).encode()


def metrics(count: int, entry: Callable[[int], dict[str, Any]]) -> bytes:
    """Return the sample plan with many more metrics."""
    more = {f"m{at:04d}": {"name": f"測定{at:04d}", "kind": "count"} | entry(at) for at in range(count)}
    return as_json(metrics={**SAMPLE["metrics"], **more})


def formulas(count: int, text: Callable[[int], str]) -> bytes:
    """Return the sample plan with many computed metrics more."""
    return metrics(count, lambda at: {"formula": text(at)})


def metric(**fields: Any) -> bytes:
    """Return the sample plan with fields of one input changed."""
    return as_json(metrics={**SAMPLE["metrics"], "visitors": {**SAMPLE["metrics"]["visitors"], **fields}})


def ksfs(count: int, **fields: Any) -> bytes:
    """Return the sample plan with many KSFs."""
    entry = {"name": "施策", "team": "marketing", "moves": {"visitors": [0, 0, 0]}} | fields
    return as_json(ksfs={f"K{at}": entry for at in range(count)})


def correlated(count: int, rank: float) -> bytes:
    """Return the sample plan with inputs that are all said to go together."""
    names = [f"m{at:04d}" for at in range(21)]
    more = {name: {"name": name, "kind": "count", "value": 1, "low": 0} for name in names}
    pairs = itertools.islice(itertools.cycle(itertools.combinations(names, 2)), count)
    links = [{"pair": list(pair), "rank": rank} for pair in pairs]
    return as_json(metrics={**SAMPLE["metrics"], **more}, assumptions={"correlations": links})


def noise(count: int) -> bytes:
    """Return bytes without any sense."""
    return random.Random(17).randbytes(count)


_NO_TEXT: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "one NUL": lambda: b"\0",
    "NULs": lambda: b"\0" * MOST,
    "mark of UTF-8 alone": lambda: b"\xef\xbb\xbf",
    "mark of UTF-16 alone": lambda: b"\xff\xfe",
    "half a UTF-16 letter": lambda: b"\xff\xfea",
    "UTF-32": lambda: TEXT.encode("utf-32"),
    "UTF-16 without a mark": lambda: TEXT.encode("utf-16-le"),
    "EUC-JP": lambda: TEXT.encode("euc_jp", errors="replace"),
    "ISO-2022-JP": lambda: TEXT.encode("iso2022_jp", errors="replace"),
    "half surrogate pairs": lambda: b"name: \xed\xa0\x80\n",
    "letters written too long": lambda: b"name: \xc0\xaf\n",
    "bytes FF": lambda: b"\xff" * MOST,
    "noise": lambda: noise(MOST),
    "picture": lambda: b"\x89PNG\r\n\x1a\n" + noise(50_000),
    "archive": lambda: b"PK\x03\x04" + noise(50_000),
    "compressed plan": lambda: gzip.compress(TEXT.encode(), mtime=0),
    "program": lambda: b"\x7fELF" + noise(50_000),
    "PDF": lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + noise(50_000),
    "pickle": lambda: pickle.dumps(SAMPLE),
    "bell": lambda: b"name: \x07\n",
    "page of HTML": lambda: b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>",
    "XML of a billion laughs": lambda: b'<!DOCTYPE a [<!ENTITY a "a"><!ENTITY b "&a;&a;">]><a>&b;</a>',
    "table": lambda: b"name,value\n" * 400_000,
    "blanks": lambda: b" " * MOST,
    "empty lines": lambda: b"\n" * MOST,
    "one word": lambda: b"a" * MOST,
    "one word of kana": lambda: "あ".encode() * (MOST // 3),
    "remarks": lambda: b"# a\n" * (MOST // 4),
}
_YAML: dict[str, Callable[[], bytes]] = {
    "aliases of aliases": lambda: (
        b"a: &a [x,x]\n" + b"".join(b"%c: &%c [*%c,*%c]\n" % (i + 1, i + 1, i, i) for i in range(97, 121))
    ),
    "alias of itself": lambda: b"a: &a [*a]\n",
    "merge key": lambda: b"a: &a {b: 1}\nc: {<<: *a}\n",
    "anchors": lambda: b"".join(b"- &a%d 1\n" % i for i in range(200_000)),
    "brackets": lambda: b"[" * MOST,
    "braces": lambda: b"? {" * (MOST // 3),
    "keys of keys": lambda: b"? " * (MOST // 2),
    "dashes": lambda: b"- " * (MOST // 2),
    "colons": lambda: b": " * (MOST // 2),
    "steps inwards": lambda: b"".join(b" " * at + b"a:\n" for at in range(3_000)),
    "documents": lambda: b"--- 1\n" * (MOST // 6),
    "many values": lambda: b"a: [" + b"1," * 399_000 + b"]",
    "more values than allowed": lambda: b"- 1\n" * 1_200_000,
    "many mappings": lambda: b"a: [" + b"{}," * 199_000 + b"]",
    "many keys": lambda: b"".join(b"k%d: 1\n" % at for at in range(190_000)),
    "long key": lambda: b"k" * MOST + b": 1\n",
    "long key in quotes": lambda: b'"' + b"k" * MOST + b'": 1\n',
    "the same long key twice": lambda: (b'"' + b"k" * 1_000_000 + b'": 1\n') * 2,
    "open quote": lambda: b'a: "' + b"x" * MOST,
    "open quote of escapes": lambda: b'a: "' + b"\\n" * (MOST // 2),
    "folded lines": lambda: b"a: >\n" + b"  x\n\n" * (MOST // 5),
    "literal lines": lambda: b"a: |\n" + b"  x\n" * (MOST // 4),
    "letters of many bytes": lambda: b'schema: 1\nname: "' + b"\\U0001F642" * 400_000 + b'"\n',
    "tabs": lambda: b"\t" * MOST,
    "directives": lambda: b"%TAG ! tag:x,2000:\n" * 200_000,
    "tag of a whole number": lambda: b"schema: !!int abc\n",
    "tag of nothing": lambda: b'schema: !!int ""\n',
    "tag of a fraction": lambda: b"schema: !!float abc\n",
    "tag of a program": lambda: b"schema: !!python/object/apply:os.system ['true']\n",
    "tag without end": lambda: b"schema: !" + b"x" * 1_000_000 + b" 1\n",
    "digits": lambda: b"schema: " + b"9" * MOST + b"\n",
    "underscores": lambda: b"schema: 1" + b"_" * MOST + b"\n",
    "dots": lambda: b"schema: " + b"." * MOST + b"\n",
    "sample, cut": lambda: TEXT.encode()[:3_001],
    "sample, over and over": lambda: TEXT.encode() * (MOST // len(TEXT.encode())),
}
_JSON: dict[str, Callable[[], bytes]] = {
    "JSON, deep": lambda: b'{"a":' * (MOST // 5),
    "JSON, deep lists": lambda: b'{"a":' + b"[" * 2_000_000 + b"]" * 2_000_000 + b"}",
    "JSON, NaN": lambda: b'{"schema": NaN}',
    "JSON, infinity": lambda: b'{"schema": -Infinity}',
    "JSON, thousands of digits": lambda: b'{"schema": ' + b"1" * 5_000 + b"}",
    "JSON, millions of digits": lambda: b'{"schema": ' + b"1" * MOST + b"}",
    "JSON, large exponent": lambda: b'{"schema": 1e' + b"9" * 1_000_000 + b"}",
    "JSON, lists": lambda: b'{"a": [' + b"[]," * 1_600_000 + b"[]]}",
    "JSON, as many lists as allowed": lambda: b'{"a": [' + b"[]," * 199_000 + b"[]]}",
    "JSON, mappings": lambda: b'{"a": [' + b"{}," * 199_000 + b"{}]}",
    "JSON, keys": lambda: b"{" + b",".join(b'"k%d":1' % at for at in range(390_000)) + b"}",
    "JSON, long text": lambda: b'{"schema": "' + b"x" * MOST + b'"}',
    "JSON, escapes": lambda: b'{"schema": "' + b"\\u3042" * (MOST // 6) + b'"}',
    "JSON, half pairs": lambda: b'{"schema": 1, "\\ud800": "\\udfff"}',
    "JSON, open text": lambda: b'{"a": "' + b'\\"' * (MOST // 2),
    "JSON, quotes": lambda: b"{" + b'"' * MOST,
    "JSON, rest behind": lambda: b'{"schema": 1}' + b"}" * MOST,
    "JSON, the same key": lambda: b"{" + b'"a":1,' * 390_000 + b'"a":1}',
}
_PLANS: dict[str, Callable[[], bytes]] = {
    "2,000 metrics": lambda: metrics(1_980, lambda at: {"value": at}),
    "too many metrics": lambda: metrics(2_100, lambda at: {"value": at}),
    "2,000 formulas": lambda: formulas(1_980, lambda at: "訪問者数 × ＣＶＲ"),
    "mistyped names": lambda: formulas(1_900, lambda at: f"測定らしき{at}"),
    "mistyped teams": lambda: metrics(1_900, lambda at: {"value": 1, "team": f"marketin{at % 9}"}),
    "long formulas": lambda: formulas(1_980, lambda at: "+".join(["visitors"] * 219)),
    "as long as allowed": lambda: formulas(98, lambda at: "+".join(["visitors"] * 181)),
    "formulas by short names": lambda: formulas(98, lambda at: "+".join(["CVR"] * 333)),
    "formulas of brackets": lambda: formulas(98, lambda at: "(" * 1_999),
    "formulas of signs": lambda: formulas(98, lambda at: "-" * 1_998 + "1"),
    "formulas of powers": lambda: formulas(98, lambda at: "9^" * 999 + "9"),
    "formulas of digits": lambda: formulas(98, lambda at: "9" * 2_000),
    "formulas of back-ticks": lambda: formulas(98, lambda at: "`" * 2_000),
    "formulas of wide letters": lambda: formulas(98, lambda at: "（１＋" * 600),
    "formulas of half-width kana": lambda: formulas(98, lambda at: "ﾊﾞ" * 1_000),
    "formulas of minima": lambda: formulas(98, lambda at: "min(" + ",".join(["1"] * 900) + ")"),
    "chain": lambda: formulas(1_980, lambda at: f"m{at - 1:04d} + 1" if at else "visitors"),
    "circle": lambda: formulas(1_980, lambda at: f"m{(at + 1) % 1_980:04d}"),
    "doubled a thousand times": lambda: formulas(1_980, lambda at: f"m{at - 1:04d} * 2" if at else "visitors"),
    "all from all": lambda: formulas(98, lambda at: "+".join(f"m{other:04d}" for other in range(at)) or "1"),
    "divided by nothing": lambda: formulas(500, lambda at: "1 / (cvr - cvr)"),
    "names with one beginning": lambda: metrics(
        1_980, lambda at: {"name": "あ" * (at % 190) + f"い{at}", "formula": "あ" * 99}
    ),
    "twenty thousand names": lambda: metrics(
        1_900, lambda at: {"value": 1, "short": [f"あ{'い' * (n * 4)}{at}" for n in range(10)]}
    ),
    "names of names": lambda: metrics(1_500, lambda at: {"value": 1, "short": ["訪問" * 99 + str(at)] * 5}),
    "the same name": lambda: metrics(1_980, lambda at: {"value": 1, "name": "同じ"}),
    "names too long": lambda: metrics(1_000, lambda at: {"value": 1, "name": "長" * 1_500}),
    "long definitions": lambda: metrics(1_200, lambda at: {"value": 1, "definition": "x" * 3_900}),
    "long definitions of signs": lambda: metrics(1_200, lambda at: {"value": 1, "definition": '"\x85' * 600}),
    "wrong ids": lambda: as_json(metrics={" " * at: {"name": "n", "kind": "count", "value": 1} for at in range(1_900)}),
    "wrong kinds of everything": lambda: as_json(
        **{section: [[[]]] * 1_000 for section in SAMPLE if section != "schema"}
    ),
    "short names": lambda: metric(short=[""] * 390_000),
    "a million short names": lambda: metric(short=[""] * 1_000_000),
    "seasons": lambda: metric(season=[1] * 300_000),
    "history": lambda: metric(history=["x"] * 300_000),
    "work": lambda: metric(work={f"t{at}": 1 for at in range(190_000)}),
    "fields of a metric": lambda: metric(**{f"f{at}": 1 for at in range(190_000)}),
    "fields of a plan": lambda: as_json(**{f"f{at}": 1 for at in range(190_000)}),
    "shapes": lambda: metrics(
        1_900, lambda at: {"value": 1e14, "shape": "negative_binomial", "history": [1, 1e15] * 30}
    ),
    "tries": lambda: metrics(1_900, lambda at: {"value": 0.5, "shape": "beta", "tried": [at + 1, 1e15]}),
    "KSFs": lambda: ksfs(500, moves={f"m{at}": [0, 0, 0] for at in range(120)}),
    "KSFs that move nothing": lambda: ksfs(500, moves={}),
    "KSFs that exclude": lambda: ksfs(500, excludes=[f"K{at}" for at in range(500)]),
    "KSFs that build on one another": lambda: ksfs(490, depends_on=[f"K{at}" for at in range(400)]),
    "too many KSFs": lambda: ksfs(20_000),
    "correlations that cannot be": lambda: correlated(200, -1),
    "correlations that all are": lambda: correlated(200, 1),
    "correlations without end": lambda: correlated(60_000, 0.1),
    "synergies": lambda: as_json(assumptions={"synergies": [{"pair": ["F1", "F2"], "bonus": 0.1}] * 60_000}),
    "drivers": lambda: as_json(drivers=[{"source": "cvr", "target": "leads", "elasticity": 1}] * 1_990),
    "drivers without end": lambda: as_json(drivers=[{}] * 300_000),
    "stages": lambda: as_json(stages=["cvr"] * 390_000),
    "deals": lambda: as_json(opening={"deals": [{"amount": 1, "chance": 2}] * 90_000}),
    "stock": lambda: as_json(opening={"stock": {f"m{at}": [-1] * 36 for at in range(1_990)}}),
    "decisions": lambda: as_json(
        decisions=[{"date": "2026-04-01", "chosen": ["F1"] * 500, "kgi": 1, "review": "2026-05-01"}] * 500
    ),
    "decisions of unknown fields": lambda: as_json(
        decisions=[{"commitments": {f"K{at}": {f"f{no}": 1 for no in range(190)} for at in range(500)}}] * 4
    ),
    "locks": lambda: as_json(limits={"lock": [f"X{at}" for at in range(490)]}),
}

FILES = {**_NO_TEXT, **_YAML, **_JSON, **_PLANS}
